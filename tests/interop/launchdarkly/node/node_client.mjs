// LaunchDarkly's server SDK for Node as a small app, driven over stdin and stdout, a JSON value a line
// (launchdarkly_client.py says what is understood):
//   node node_client.mjs '{"uri": …, "key": …, "mode": "streaming", "flush_interval": …}'
import readline from 'node:readline';

import { init } from '@launchdarkly/node-server-sdk';

const wanted = JSON.parse(process.argv[2]);

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

// How flags come by FDv2; of its kinds only "custom" may poll more often than every 30 s.
const dataSources = {
  fdv2: { dataSourceOptionsType: 'streamingOnly', streamInitialReconnectDelay: 0.1 },
  'fdv2-polling': {
    dataSourceOptionsType: 'custom',
    initializers: [],
    synchronizers: [{ type: 'polling', pollInterval: wanted.poll_interval ?? 0.2 }],
  },
  'fdv2-default': { dataSourceOptionsType: 'standard', streamInitialReconnectDelay: 0.1 },
};
const dataSource = dataSources[wanted.mode];

const quiet = () => {};
const client = init(wanted.key, {
  baseUri: wanted.uri,
  streamUri: wanted.uri,
  eventsUri: wanted.uri,
  ...(dataSource
    ? { dataSystem: { dataSource } }
    : { stream: wanted.mode !== 'polling', streamInitialReconnectDelay: 0.1 }),
  sendEvents: wanted.events ?? true,
  flushInterval: wanted.flush_interval ?? 600,
  diagnosticOptOut: !(wanted.diagnostics ?? false),
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});
client.on('update', ({ key }) => say({ event: 'changed', key }));
let initialized = true;
try {
  await client.waitForInitialization({ timeout: wanted.start_wait ?? 30 });
} catch {
  initialized = false;
}
say({ event: 'started', initialized });

const COMMANDS = {
  variation: async ({ key, fallback }, context) => {
    const detail = await client.variationDetail(key, context, fallback ?? null);
    return { value: detail.value, variation: detail.variationIndex, reason: detail.reason };
  },
  values: async (_, context) => (await client.allFlagsState(context)).allValues(),
  track: async ({ key, data, metric }, context) => client.track(key, context, data, metric),
  identify: async (_, context) => client.identify(context),
  flush: async () => client.flush(),
  repeat: async ({ key, count, fallback }, context) => {
    for (let i = 0; i < count; ++i) await client.variation(key, context, fallback ?? null);
  },
  initialized: async () => client.initialized(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    const context = command.context ?? { kind: 'user', key: 'anybody' };
    say({ details: (await COMMANDS[command.do](command, context)) ?? null });
  } catch (error) {
    say({ details: { thrown: String(error) } });
  }
}
client.close();
process.exit(0);
