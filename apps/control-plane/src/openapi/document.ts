import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Problem, StageAllocation, StageEnvelope } from '@autoflow/client/schemas';
import { componentsOf, schemaConverter } from './schemas.js';

const DESCRIPTION = `Pipelines on Temporal: what runs, what it may use, and what came out.

A \`PUT\` takes \`If-Match\` with the ETag that was read, and a \`reason\`. Pausing, resuming and cancelling a backfill takes a \`reason\` if
there is one, and no \`If-Match\`: it may be repeated. Every error is \`application/problem+json\` (RFC 9457)
with a stable \`code\`, a \`remedy\`, and whether it is \`retryable\`.`;

/** The OpenAPI 3.1 document, made from the routes themselves. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const head = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('AutoFlow')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .build();
  const document = SwaggerModule.createDocument(app, head, {
    standardSchemaConverter: schemaConverter,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
    autoTagControllers: true,
  });
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...componentsOf([Problem, StageEnvelope, StageAllocation]) },
  };
  return document;
}

/** Serves the document at /v1/openapi.json and a page for it at /v1/docs. */
export function serveDocument(app: INestApplication): void {
  SwaggerModule.setup('v1/docs', app, openApiDocument(app), {
    jsonDocumentUrl: 'v1/openapi.json',
    raw: ['json'],
    customSiteTitle: 'AutoFlow API',
  });
}
