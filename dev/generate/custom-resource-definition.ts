import { stringify } from 'yaml';
import type { Kind } from './kinds.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

const API_VERSION_TEXT = 'Version of the schema of this object.';
const KIND_TEXT = 'Kind of this object.';

/** The CustomResourceDefinition of a kind, as an object. */
export function customResourceDefinition({ resource, description, spec, status, columns, scale }: Kind): object {
  const { group, version, plural, singular, kind, namespaced, shortNames, categories } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'longshore', 'app.kubernetes.io/component': 'crd' },
    },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: API_VERSION_TEXT },
                kind: { type: 'string', description: KIND_TEXT },
                metadata: { type: 'object' },
                spec: withoutNull(structuralSchema(spec, `${kind}.spec`, { nullMeansAbsent: true }), scale),
                status: structuralSchema(status, `${kind}.status`, { nullMeansAbsent: false }),
              },
            },
          },
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}

/** The API server reads the replicas of each object that it stores, and finds no number in a null. */
function withoutNull(spec: StructuralSchema, scale: Kind['scale']): StructuralSchema {
  const replicas = scale?.specReplicasPath.replace('.spec.', '') ?? '';
  const property = spec.properties?.[replicas];
  if (property !== undefined) delete property.nullable;
  return spec;
}

/** Path within the repository and content of the CRD file of a kind. */
export function customResourceDefinitionFile(kind: Kind): { readonly path: string; readonly content: string } {
  const { group, plural } = kind.resource;
  const yaml = stringify(customResourceDefinition(kind), {
    lineWidth: 120,
    aliasDuplicateObjects: false,
    compat: 'yaml-1.1',
  });
  return {
    path: `crds/${group}_${plural}.yaml`,
    content: `# Generated from src/api by \`npm run generate\`: change the schema there.\n${yaml}`,
  };
}
