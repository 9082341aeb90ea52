import { type Fields, isFields, isText, without } from '../../fields.ts';
import { type Path, pathText } from '../../problem.ts';
import type { AwsInput, Change } from '../aws-input.ts';
import type { Form } from './form.ts';
import { withoutOutput } from './output-fields.ts';

/** What `aws ecs create-service --cli-input-json` takes, or one of the services that describe-services gives. */
export const createdService: Form = (value, source) => {
  if (!isFields(value) || !isText(value.serviceName)) return undefined;
  return [service(value, source, [])];
};

/** What `aws ecs describe-services`, `create-service` and `update-service` give. */
export const describedServices: Form = (value, source) => {
  if (!isFields(value)) return undefined;
  const { services, service: one } = value;
  if (Array.isArray(services) && services.length > 0 && services.every(isService)) {
    return services.map((described, index) => service(described, source, ['services', index]));
  }
  return isService(one) ? [service(one, source, ['service'])] : undefined;
};

const isService = (value: unknown): value is Fields => isFields(value) && isText(value.serviceArn);

/** What a description has under another name than the input. */
const RENAMED: Readonly<Record<string, string>> = { clusterArn: 'cluster', roleArn: 'role' };

/** Of the newest deployment, what the input has at its top. */
const OF_DEPLOYMENT = ['serviceConnectConfiguration', 'volumeConfigurations', 'vpcLatticeConfigurations'];

function service(value: Fields, source: string, at: Path): AwsInput {
  const described = isService(value);
  const changes: Change[] = [];
  const places = new Map<string, Path>();
  const take = (from: Path, to: string, taken: unknown, reason: string): [string, unknown] => {
    places.set(to, from);
    changes.push({ path: pathText([...at, ...from]), change: 'Converted', from: taken, to: { [to]: taken }, reason });
    return [to, taken];
  };
  const drop = (field: string, reason: string): void => {
    if (value[field] === undefined) return;
    changes.push({ path: pathText([...at, field]), change: 'Dropped', from: value[field], reason });
  };

  const lifted = described ? ofDeployment(value, take) : [];
  const top = Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
    const other = described ? RENAMED[field] : undefined;
    if (other === undefined) return [[field, inner]];
    if (field === 'roleArn' && isText(inner) && inner.includes(':role/aws-service-role/')) {
      drop(field, "it is the role of the service's own, which create-service does not take");
      return [];
    }
    return [take([field], other, inner, `the input calls it ${other}`)];
  });
  const output = withoutOutput(Object.fromEntries([...top, ...lifted]), 'CreateService', at);
  const dropped = ['clientToken', ...(described && value.schedulingStrategy === 'DAEMON' ? ['desiredCount'] : [])];
  drop('clientToken', 'it tells a repeated call from a new one; an object has a name for that');
  if (dropped.includes('desiredCount')) drop('desiredCount', 'a DAEMON service has a task on each node');
  return {
    action: 'CreateService',
    input: without(output.kept, ...dropped),
    source,
    locate: ([field = '', ...rest]) => pathText([...at, ...(places.get(String(field)) ?? [field]), ...rest]),
    changes: [...changes, ...output.changes],
  };
}

function ofDeployment(
  { deployments }: Fields,
  take: (from: Path, to: string, taken: unknown, reason: string) => [string, unknown],
): [string, unknown][] {
  if (!Array.isArray(deployments)) return [];
  const primary = deployments.findIndex((deployment) => isFields(deployment) && deployment.status === 'PRIMARY');
  const found: unknown = deployments[primary];
  if (!isFields(found)) return [];
  return OF_DEPLOYMENT.map((field): [string, unknown] => [field, ofInput(field, found[field])])
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field, value]) =>
      take(['deployments', primary, field], field, value, 'the input has it beside the other fields'),
    );
}

/**
 * A description names S3 Files volumes among the volumeConfigurations as well (hashicorp/terraform-provider-aws#48945): the
 * task definition says what they are, and the input does not take them.
 */
function ofInput(field: string, value: unknown): unknown {
  if (field !== 'volumeConfigurations' || !Array.isArray(value)) return value;
  const configured = value.filter((item) => isFields(item) && isFields(item.managedEBSVolume));
  return configured.length > 0 ? configured : undefined;
}
