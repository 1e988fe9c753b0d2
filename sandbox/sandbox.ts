import { providerList } from './catalogue';
import { controlRouter, type Controlled } from './control';
import { Dispatcher } from './dispatcher';
import { copyEndpoint, EndpointStore } from './endpointStore';
import { ApiExchange } from './exchange';
import { Faults } from './faults';
import { Observer } from './observer';
import { toWaitingFault } from './page/catalogue';
import { Feed } from './page/feed';
import { pageRouter } from './page/router';
import type { Api, Provider } from './provider';
import { Repeater } from './repeater';
import { Routes } from './routes';
import { Sender } from './sender';
import { listen } from './server';
import { randomId } from './signing';
import type { ProviderId, Sandbox, SandboxOptions } from './types';
import { webhookUrlSchema } from './webhookUrl';
import { managementHandler, toApiRequest } from './wire';

const DEFAULT_TIME_SCALE = 0.0005;

/** Starts a sandbox for all providers on 127.0.0.1. Rejects when the port is taken. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
	const observer = new Observer();
	const changed = () => void observer.emit('change');
	const endpoints = new EndpointStore(providerList, changed);
	const routes = new Routes(options.routes);
	const sender = new Sender(
		options.retryTimeScale ?? DEFAULT_TIME_SCALE,
		routes,
		({ provider, id }) => endpoints.of(provider).find(id)?.active === true,
		observer,
	);
	const keys = perProvider(({ keyPrefix }) =>
		options.fixedKeys === true ? `${keyPrefix}sandbox` : randomId(keyPrefix, 24),
	);
	const limitedKeys = perProvider(({ keyPrefix }) => randomId(keyPrefix, 24));
	const accepted = perProvider(({ id }) => ({ full: keys[id], limited: limitedKeys[id] }));
	const apis = new Map<ProviderId, Api>();
	const dispatcher = new Dispatcher(
		endpoints,
		sender,
		(provider) => apis.get(provider)?.variants.snapshot() ?? {},
		(provider, event) => apis.get(provider)?.record?.(event),
	);
	const repeater = new Repeater(dispatcher);
	const faults = new Faults();
	const closing = new AbortController();
	const exchange = new ApiExchange(apis, faults, closing.signal, observer);
	const webhookUrl = webhookUrlSchema(options.allowHttp ?? false);

	for (const provider of providerList) {
		const account = endpoints.of(provider.id);
		const api = provider.api?.({
			endpoints: account,
			keys: accepted[provider.id],
			webhookUrl,
			deliver: async ({ id: endpointId }, event, data) => {
				const input = { provider: provider.id, endpointId, event, data, retry: false };
				return (await dispatcher.fire(input)).every(({ state }) => state === 'delivered');
			},
			deliveriesOf: (id) =>
				sender.log().filter((entry) => entry.provider === provider.id && entry.endpointId === id),
		});
		if (api) apis.set(provider.id, api);
	}

	const sandbox: Controlled = {
		keys,
		limitedKeys,
		login: [...apis.values()].find(({ login }) => login)?.login ?? { email: '', password: '' },
		replaceKey: (provider) => {
			const { keyPrefix } = providerList.find(({ id }) => id === provider) ?? { keyPrefix: '' };
			const key = randomId(keyPrefix, 24);
			keys[provider] = key;
			accepted[provider].full = key;
			changed();
			return key;
		},
		setRoute: (from, to) => routes.set(from, to),
		call: async (call) => {
			const { answer, mode } = await exchange.handle(toApiRequest(call));
			if (mode !== 'whole') throw new Error(`${call.method} ${call.path}: ${mode}`);
			return answer;
		},
		endpoints: (provider) =>
			(provider === undefined ? endpoints.all() : endpoints.of(provider).list()).map(copyEndpoint),
		addEndpoint: (provider, input) => copyEndpoint(endpoints.of(provider).add(input)),
		changeEndpoint: (provider, id, change) => void endpoints.of(provider).change(id, change),
		removeEndpoint: (provider, id) => endpoints.of(provider).remove(id),
		setEndpointLimit: (provider, limit) => endpoints.of(provider).setLimit(limit),
		setBehaviour: (provider, behaviour) => {
			const api = apis.get(provider);
			if (!api) throw new Error(`${provider} has no API whose behaviour could be changed`);
			api.variants.change(behaviour);
		},
		expireSessions: () => {
			for (const api of apis.values()) api.expireSessions?.();
		},
		rotateSecret: (provider, id) => endpoints.of(provider).rotateSecret(id),
		fault: (fault) => {
			faults.add(fault);
			changed();
		},
		clearFaults: () => {
			faults.clear();
			changed();
		},
		faults: () => faults.list(),
		requests: () => structuredClone([...exchange.log()]),
		deliveries: () => structuredClone([...sender.log()]),
		fire: async (input) => await dispatcher.fire(input),
		fireRepeatedly: (input, repetition, onTry) => repeater.run(input, repetition, onTry),
		stopFiring: () => repeater.stop(),
		settled: async () => await sender.settled(),
		reset: () => {
			repeater.stop();
			sender.reset();
			endpoints.clear();
			exchange.reset();
			faults.clear();
			routes.reset();
			for (const api of apis.values()) {
				api.variants.reset();
				api.reset?.();
			}
			observer.emit('reset');
		},
	};

	const feed = new Feed(observer, () => ({
		keys,
		endpoints: sandbox.endpoints(),
		faults: sandbox.faults().map(toWaitingFault),
	}));
	const server = await listen(
		options.port ?? 0,
		{ '/_control': controlRouter(sandbox, feed), '/_page': pageRouter() },
		managementHandler(exchange),
	);
	let closed: Promise<void> | undefined;
	async function close(): Promise<void> {
		closing.abort();
		repeater.stop();
		sender.reset();
		feed.close();
		await Promise.all([sender.settled(), server.close()]);
	}
	return {
		...sandbox,
		url: server.url,
		pageUrl: `${server.url}/_page`,
		close: async () => await (closed ??= close()),
	};
}

function perProvider<T>(make: (provider: Provider) => T): Record<ProviderId, T> {
	return Object.fromEntries(
		providerList.map((provider) => [provider.id, make(provider)]),
	) as Record<ProviderId, T>;
}
