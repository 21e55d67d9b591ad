const t0=performance.now(); console.log('boot',t0|0);
const { buildRelease } = await import('./dist/release/index.js'); const t1=performance.now(); console.log('import', t1-t0|0);
for (let i=0;i<3;i++){ const t=performance.now(); const r=await buildRelease('/tmp/ops-src/pipeline.ts','/tmp/ops-src/rel'+i+Date.now()); console.log('build', performance.now()-t|0, r.code.length, r.sourceMap.length, JSON.stringify(r.manifest).length);}
