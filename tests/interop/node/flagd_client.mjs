// One official Node provider, driven over stdin and stdout, a JSON value a line:
//   node flagd_client.mjs '{"provider": "server" | "web", "options": {…}}'
// asks: {"type": "boolean", "key": "x", "fallback": false, "context": {…}} → {"details": {…}}
// and says by itself {"event": "ready" | "changed" | "stale" | "error", "flags": […]}.
import readline from 'node:readline';

const wanted = JSON.parse(process.argv[2]);

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

async function load() {
  if (wanted.provider === 'web') {
    const sdk = await import('@openfeature/web-sdk');
    const { FlagdWebProvider } = await import('@openfeature/flagd-web-provider');
    return { sdk, provider: new FlagdWebProvider(wanted.options) };
  }
  const sdk = await import('@openfeature/server-sdk');
  const { FlagdProvider } = await import('@openfeature/flagd-provider');
  return { sdk, provider: new FlagdProvider(wanted.options) };
}

const ASK = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  integer: 'getNumberDetails',
  float: 'getNumberDetails',
  object: 'getObjectDetails',
};

const { sdk, provider } = await load();
const { OpenFeature, ProviderEvents } = sdk;
const client = OpenFeature.getClient();
client.addHandler(ProviderEvents.Ready, () => say({ event: 'ready' }));
client.addHandler(ProviderEvents.Stale, () => say({ event: 'stale' }));
client.addHandler(ProviderEvents.Error, () => say({ event: 'error' }));
client.addHandler(ProviderEvents.ConfigurationChanged,
                  (details) => say({ event: 'changed', flags: details?.flagsChanged ?? [] }));
OpenFeature.setProviderAndWait(provider).catch((error) => say({ failed: String(error) }));

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { type, key, fallback, context } = JSON.parse(line);
  try {
    let details;
    if (wanted.provider === 'web') {
      // The web SDK's context is the page's, not the call's.
      if (context) await OpenFeature.setContext(context);
      details = client[ASK[type]](key, fallback);
    } else {
      details = await client[ASK[type]](key, fallback, context ?? {});
    }
    say({ details });
  } catch (error) {
    say({ details: { thrown: String(error) } });
  }
}
await OpenFeature.close();
process.exit(0);
