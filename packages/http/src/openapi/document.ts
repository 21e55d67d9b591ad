import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Problem } from '@autoflow/client/schemas';
import type { z } from 'zod';
import { componentsOf, schemaConverter } from './schemas.js';

export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  /** Schemas with an id that no route names itself. */
  readonly components?: readonly z.ZodType[];
}

/** The OpenAPI 3.1 document, made from the routes themselves. */
export function openApiDocument(app: INestApplication, { title, description, components = [] }: DocumentOptions): OpenAPIObject {
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
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...componentsOf([Problem, ...components]) },
  };
  return document;
}

/** Serves the document at /v1/openapi.json and a page for it at /v1/docs. */
export function serveDocument(app: INestApplication, options: DocumentOptions): void {
  SwaggerModule.setup('v1/docs', app, openApiDocument(app, options), {
    jsonDocumentUrl: 'v1/openapi.json',
    raw: ['json'],
    customSiteTitle: `${options.title} API`,
  });
}
