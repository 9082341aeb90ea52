/** A BatchJob from a job definition and, where there is one, the SubmitJob that names it (`ecs-semantics` §5.2). */
import { ANNOTATIONS } from '../../api/meta.ts';
import { arnName } from '../../api/names.ts';
import { type Fields, isFields, isText, without } from '../fields.ts';
import { manifestOf } from '../manifest.ts';
import { RefusedError } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';
import type { Imported } from './objects.ts';

/** Fields that a BatchJob cannot have: it is of type container, and has its definition in itself. */
const DEFINITION_ONLY = ['jobDefinitionName', 'type'];

/** `name`, `name:revision` or the ARN of a job definition, taken apart. */
export function jobDefinitionReference(reference: unknown): { readonly name: string; readonly revision?: number } {
  const text = isText(reference) ? arnName(reference) : '';
  const [, name, revision] = /^(.*):(\d+)$/.exec(text) ?? [];
  return name === undefined ? { name: text } : { name, revision: Number(revision) };
}

/**
 * The definition that a SubmitJob names: the revision named, otherwise the newest that is active.
 * @throws RefusedError where it is not among the inputs
 */
export function namedDefinition({ input, source, locate }: AwsInput, all: readonly AwsInput[]): AwsInput {
  const { name, revision } = jobDefinitionReference(input.jobDefinition);
  const found = definitionsOf(name, all);
  const named = found.find((one) => revision !== undefined && one.revision === revision);
  const newest = named ?? newestOf(found.filter((one) => revision === undefined || one.revision === undefined));
  if (newest !== undefined) return newest;
  throw new RefusedError({
    source,
    path: locate(['jobDefinition']),
    message: `${JSON.stringify(input.jobDefinition)} is not among the files; a BatchJob has its job definition in itself: give that as well, as register-job-definition takes it or describe-job-definitions prints it`,
  });
}

/** Whether no SubmitJob names the definition, and no newer revision of it is there. */
export function isJobOfItsOwn(definition: AwsInput, all: readonly AwsInput[]): boolean {
  const { jobDefinitionName: name } = definition.input;
  const isNamed = all.some(
    (one) => one.action === 'SubmitJob' && jobDefinitionReference(one.input.jobDefinition).name === name,
  );
  const newest = newestOf(definitionsOf(name, all));
  return !isNamed && (definition.revision === undefined || newest === undefined || definition === newest);
}

const definitionsOf = (name: unknown, all: readonly AwsInput[]): AwsInput[] =>
  all.filter((one) => one.action === 'RegisterJobDefinition' && one.input.jobDefinitionName === name);

const otherRevisions = (definition: AwsInput, all: readonly AwsInput[]): Change[] =>
  definitionsOf(definition.input.jobDefinitionName, all)
    .filter((one) => one !== definition)
    .map(({ source, locate, revision }) => ({
      path: locate([]) || source,
      change: 'Dropped',
      from: { revision },
      reason: 'another revision of the job definition is taken',
    }));

/** Of the active ones, where there are any. */
function newestOf(definitions: readonly AwsInput[]): AwsInput | undefined {
  const active = definitions.filter(({ active }) => active !== false);
  const [newest] = (active.length > 0 ? active : [...definitions]).sort(
    (a, b) => (b.revision ?? 0) - (a.revision ?? 0),
  );
  return newest;
}

/** @throws RefusedError for a job of several nodes */
export function jobOf(
  submitted: AwsInput | undefined,
  definition: AwsInput,
  all: readonly AwsInput[],
  namespace: string | undefined,
): Imported {
  const { jobDefinitionName, type } = definition.input;
  if (type !== 'container') {
    const message = `${JSON.stringify(type)} is not taken yet; allowed: container`;
    throw new RefusedError({ source: definition.source, path: definition.locate(['type']), message });
  }
  const own = without(definition.input, ...DEFINITION_ONLY);
  const asked = Object.entries(submitted?.input ?? { jobName: jobDefinitionName }).filter(
    ([field, value]) => field !== 'jobDefinition' && (value !== null || own[field] === undefined),
  );
  const both = asked.filter(([field]) => own[field] !== undefined && own[field] !== null);
  const combined = both.map(([field, value]) => combine(field, own[field], value));
  const spec: Fields = {
    ...own,
    ...Object.fromEntries(asked),
    ...Object.fromEntries(combined.map((c) => [c.field, c.to])),
  };
  const shared = asked.map(([field]) => field).filter((field) => SHARED_FIELDS.includes(field) && !(field in own));
  const from = (field: unknown) => (submitted && String(field) in submitted.input ? submitted : definition);
  const changes: Change[] = [
    { path: definition.locate(['type']), change: 'Dropped', from: type, reason: 'every BatchJob is of this type' },
    ...combined.map(
      ({ field, before, to, reason }): Change => ({
        path: `${definition.locate([field])} of the job definition`,
        change: 'Converted',
        from: before,
        to,
        reason,
      }),
    ),
  ];
  return {
    manifest: manifestOf('BatchJob', String(spec.jobName), namespace, spec, {
      [ANNOTATIONS.jobDefinition]: String(submitted?.input.jobDefinition ?? jobDefinitionName),
      ...(shared.length > 0 && { [ANNOTATIONS.submitJobFields]: shared.join(',') }),
    }),
    source: (submitted ?? definition).source,
    changes: [...definition.changes, ...(submitted?.changes ?? []), ...changes, ...otherRevisions(definition, all)],
    place: (path) => ({ source: from(path[0]).source, path: from(path[0]).locate(path) }),
  };
}

/** What a field is that both have. */
function combine(field: string, before: unknown, given: unknown) {
  if ((field === 'parameters' || field === 'tags') && isFields(before) && isFields(given)) {
    return {
      field,
      before,
      to: { ...before, ...given },
      reason: "SubmitJob's are added to those of the job definition",
    };
  }
  return { field, before, to: given, reason: "SubmitJob's takes its place" };
}

/** Fields that both calls take. */
export const SHARED_FIELDS: readonly string[] = ['parameters', 'retryStrategy', 'timeout', 'propagateTags', 'tags'];
