/** Under which names the tasks of a service are found. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, exact, ignored, type Topic, whole } from './entry.ts';
import { ALIAS, ALIAS_PORTS, REGISTRY, REGISTRY_PORT } from './proofs.ts';

const proxy = 'there is no proxy in the task: clients connect to its containers';
const noProxy = ignored(proxy);
const noTls = ignored(
  `${proxy}, with TLS where those speak it; a service mesh of the cluster encrypts what is between`,
);
const onlyBlueGreen = ignored('only a blue/green deployment has test traffic, and there is none yet');

export const serviceDiscovery: Topic = {
  ServiceRegistry: {
    registryArn: approximated(
      'a headless core Service answers by its name in the namespace, in the domain of the cluster and with its TTL',
      REGISTRY,
    ),
    port: exact(REGISTRY_PORT),
    containerName: exact(REGISTRY),
    containerPort: exact(REGISTRY),
  },
  ServiceConnectConfiguration: {
    enabled: approximated(
      'a core Service takes the place of the proxies: it balances connections and not requests, without retries, outlier detection and metrics, and a task that stops has its SIGTERM 5 s later, when nobody sends to it any more; pods that are no clients can resolve the names as well, and at once',
      ALIAS,
    ),
    namespace: approximated(
      'the namespace of the Service stands for it: names that end in another do not resolve, of which a condition speaks',
      ALIAS,
    ),
    services: BY_ITS_FIELDS,
    logConfiguration: noProxy,
    accessLogConfiguration: noProxy,
    containerConfigurations: noProxy,
  },
  ServiceConnectService: {
    portName: exact(ALIAS),
    discoveryName: approximated(
      'it is the name for clients where dnsName is absent; nothing is registered in Cloud Map',
      ALIAS,
    ),
    clientAliases: BY_ITS_FIELDS,
    ingressPortOverride: noProxy,
    timeout: ignored(`${proxy}, and those say how long they wait; an HTTPRoute can`),
    tls: noTls,
  },
  ServiceConnectClientAlias: {
    port: exact(ALIAS_PORTS),
    dnsName: approximated(
      'it is the name of a core Service: one label, alone or followed by the namespace; another domain is refused with a condition',
      ALIAS,
    ),
    testTrafficRules: onlyBlueGreen,
  },
  ...whole(
    ECS,
    onlyBlueGreen,
    'ServiceConnectTestTrafficRules',
    'ServiceConnectTestTrafficHeaderRules',
    'ServiceConnectTestTrafficHeaderMatchRules',
  ),
  ...whole(ECS, noProxy, 'ServiceConnectAccessLogConfiguration', 'ServiceConnectContainerConfiguration'),
  ...whole(ECS, noProxy, 'TimeoutConfiguration'),
  ...whole(ECS, noTls, 'ServiceConnectTlsConfiguration', 'ServiceConnectTlsCertificateAuthority'),
};
