import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Problem } from '@autoflow/client/schemas';
import type { z } from 'zod';
import type { ProblemCode } from '../problems/problems.js';
import { told } from './operation.js';
import { componentsOf, schemaConverter } from './schemas.js';

export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  /** Codes that every route has, but this service never answers. */
  readonly never?: readonly ProblemCode[];
  /** Schemas with an id that no route names itself. */
  readonly components?: readonly z.ZodType[];
}

/** The OpenAPI 3.1 document, made from the routes themselves. */
export function openApiDocument(
  app: INestApplication,
  { title, description, never = [], components = [] }: DocumentOptions,
): OpenAPIObject {
  const head = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(title)
    .setDescription(description)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .build();
  const document = SwaggerModule.createDocument(app, head, {
    standardSchemaConverter: schemaConverter,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
    autoTagControllers: true,
  });
  for (const code of never) withdraw(document, code);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...componentsOf([Problem, ...components]) },
  };
  return document;
}

function withdraw({ paths }: OpenAPIObject, code: ProblemCode): void {
  const text = told(code);
  for (const item of Object.values(paths))
    for (const operation of [item.get, item.post, item.put, item.patch, item.delete])
      for (const [status, response] of Object.entries(operation?.responses ?? {})) {
        if (response === undefined || '$ref' in response || !response.description.includes(text)) continue;
        response.description = response.description.replace(text, '').trim();
        if (response.description === '') delete operation!.responses[status];
      }
}

/** Serves the document at /v1/openapi.json and a page for it at /v1/docs. */
export function serveDocument(app: INestApplication, options: DocumentOptions): void {
  SwaggerModule.setup('v1/docs', app, openApiDocument(app, options), {
    jsonDocumentUrl: 'v1/openapi.json',
    raw: ['json'],
    customSiteTitle: `${options.title} API`,
  });
}
