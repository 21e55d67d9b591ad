// Prints `N passed, N failed` (`, N skipped` if any) from vitest's JSON report; fails, printing nothing to standard
// output, when there is no report or no test ran. A test file that could not be loaded counts as one failed test.
import { readFileSync } from 'node:fs';

try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  if (report.testResults.length === 0) throw new Error('no test ran');
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const failed = report.numFailedTests + unloaded.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
} catch (error) {
  console.error(`The tests did not run to their end: ${error.message}`);
  process.exitCode = 1;
}
