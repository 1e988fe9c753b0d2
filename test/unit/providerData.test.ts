import { describe, expect, it } from '@jest/globals';

import type { Provider } from '../../nodes/shared/provider';
import { allProviders, providerNamed } from './allProviders';
import { eventsToRegister, ALL_EVENTS } from '../../nodes/shared/events';
import { schemesToTry } from '../../nodes/shared/signature';
import type { Provider as SandboxProvider } from '../../sandbox/provider';
import { providers as sandboxProviders } from '../../sandbox/providers';
import { platformScheme } from '../../sandbox/providers/misarScheme';

/** The package's data about its providers, compared with their documents. */

const providers: ReadonlyArray<readonly [string, Provider]> = allProviders.map((provider) => [
	provider.displayName,
	provider,
]);

/** The newest closed list of each product, which "all events" registers. */
const CLOSED_LISTS = {
	// docs.misar.io/mail/api-reference/webhooks
	misarMail: [
		'email.sent',
		'email.delivered',
		'email.opened',
		'email.clicked',
		'email.bounced',
		'email.complained',
		'email.unsubscribed',
		'email.received',
		'campaign.sent',
		'campaign.completed',
	],
	// "Closed set" of the MisarReach SDKs
	misarReach: [
		'reply.received',
		'deal.won',
		'deal.lost',
		'lead_search.completed',
		'campaign.completed',
	],
	// The tools create_webhook and update_webhook of Misar Post
	misarPost: ['post.published', 'post.failed', 'account.disconnected'],
	// docs.misar.io/blog/api-reference/webhooks
	misarBlog: ['article.published', 'article.updated', 'article.deleted'],
	// WEBHOOK_EVENT_NAMES of the newest Metigan SDK
	metigan: [
		'email.sent',
		'email.delivered',
		'email.opened',
		'email.clicked',
		'email.bounced',
		'email.complained',
		'email.unsubscribed',
		'email.failed',
		'contact.created',
		'contact.deleted',
		'audience.created',
		'audience.updated',
		'audience.deleted',
	],
};

/** The platform page (misar.io/docs/webhooks). */
const MISAR_DEV_EVENTS = [
	'plugin.installed',
	'plugin.updated',
	'plugin.uninstalled',
	'agent.run.completed',
	'agent.run.failed',
];
const MISAR_AI_EVENTS = ['project.created', 'deploy.succeeded', 'deploy.failed'];

/** As its API takes them; the page calls the same events `email.open` and so on. */
const MAIL_PANDA_EVENTS = ['open', 'click', 'bounce', 'unsubscribe'];

function settings(events: readonly string[], signatureScheme = 'auto') {
	return {
		registration: 'automatic',
		events,
		signatureScheme,
		toleranceSeconds: 300,
		skipDuplicates: true,
		acceptUnverified: false,
		bounceType: 'any',
		simplify: true,
	} as const;
}

/** What "all events" of each provider has to register. */
const DOCUMENTED: ReadonlyArray<[provider: string, events: string[]]> = [
	['Misar Mail', CLOSED_LISTS.misarMail],
	['Misar Reach', CLOSED_LISTS.misarReach],
	['Misar Post', CLOSED_LISTS.misarPost],
	['Misar.Dev', MISAR_DEV_EVENTS],
	['Misar.ai', MISAR_AI_EVENTS],
	['Misar.Ink', []],
	['Misar.Blog', CLOSED_LISTS.misarBlog],
	['Mail Panda', MAIL_PANDA_EVENTS],
	['Metigan', CLOSED_LISTS.metigan],
];

it('every provider has a row in DOCUMENTED', () => {
	expect(providers.map(([name]) => name).sort()).toEqual(DOCUMENTED.map(([name]) => name).sort());
});

describe.each(DOCUMENTED)('the events of %s', (name, documented) => {
	const provider = providerNamed(name);

	it('include every documented one', () => {
		expect(provider.events.map((event) => event.name)).toEqual(expect.arrayContaining(documented));
	});

	it('are registered by "all events": exactly the documented names', () => {
		const registered = eventsToRegister(provider, [ALL_EVENTS]);
		expect([...registered].sort()).toEqual([...documented].sort());
	});

	it('are registered together with custom names, each once, for "all events"', () => {
		const selected = [ALL_EVENTS, 'list.imported', ...documented.slice(0, 1)];
		const registered = eventsToRegister(provider, selected);
		expect([...registered].sort()).toEqual([...documented, 'list.imported'].sort());
	});

	it('are registered as selected otherwise', () => {
		const selected = ['email.bounced', 'list.imported'];
		expect(eventsToRegister(provider, selected)).toEqual(selected);
	});
});

/** What the sandbox says of a provider, independently of the nodes. */
function sandboxOf({ displayName }: Provider): SandboxProvider {
	const found = Object.values(sandboxProviders).find(({ title }) => title === displayName);
	if (found === undefined) throw new Error(`The sandbox has no ${displayName}`);
	return found;
}

describe.each(providers)(
	'what the nodes and the sandbox say of %s is the same',
	(name, provider) => {
		const sandbox = sandboxOf(provider);
		const { canonicalEvent = (event: string) => event } = provider.envelope;
		/** The platform page claims its signature for every product; MisarReach's SDKs know only their own. */
		const alsoClaimed = name === 'Misar Reach' ? [platformScheme] : [];

		it('in the names of the events', () => {
			const documented = new Set(sandbox.events.map((event) => canonicalEvent(event.name)));
			// The page has the words "automation triggered", but no event name.
			if (name === 'Misar Mail') documented.add('automation.triggered');
			expect(provider.events.map((event) => event.name).sort()).toEqual([...documented].sort());
		});

		it('in the header of each signature scheme, and in what it signs', () => {
			const stated = [...sandbox.schemes, ...alsoClaimed].map(
				({ signatureHeader, timestamped }) => `${signatureHeader.toLowerCase()} ${timestamped}`,
			);
			const known = provider.schemes.map(
				(scheme) =>
					`${scheme.header} ${scheme.kind === 'hmac' && scheme.signed === 'timestamp.body'}`,
			);
			expect(new Set(known)).toEqual(new Set(stated));
		});
	},
);

describe.each(providers)('the facts of %s', (_name, provider) => {
	const { envelope, events, schemes, api } = provider;

	it('name each event once, in lower case, with a title of its own', () => {
		const names = events.map(({ name }) => name);
		expect(new Set(names).size).toBe(names.length);
		expect(new Set(events.map(({ label }) => label)).size).toBe(names.length);
		for (const name of names) expect(name).toMatch(/^[a-z]+(?:[._][a-z]+)*$/);
		expect(names).not.toContain(ALL_EVENTS);
	});

	it('title each event in Title Case, with the words of its name', () => {
		for (const { name, label } of events) {
			expect(label).toMatch(/^[A-Z][A-Za-z]*(?: (?:as|[A-Z][A-Za-z]*))*$/);
			if (label === 'Marked as Spam') continue;
			// Mail Panda's `open` is "Email Opened".
			const words = label.toLowerCase().split(' ');
			const parts = name.split(/[._]/);
			if (parts.length > 1) expect(words).toEqual(parts);
			else expect(words).toEqual(['email', expect.stringMatching(`^${name.replace(/e$/, '')}`)]);
		}
	});

	it('describe each event in a sentence without a full stop, as n8n does', () => {
		for (const { label, description } of events) {
			expect(description).toMatch(/^[A-Z].{10,}[^.\s]$/s);
			expect(description).not.toBe(label);
		}
	});

	it('hold data shapes for known envelopes only', () => {
		const envelopes = envelope.shapes.map(({ id }) => id);
		for (const { name, data = {} } of events) {
			for (const id of Object.keys(data))
				expect({ name, envelopes }).toMatchObject({
					envelopes: expect.arrayContaining([id]),
				});
		}
	});

	it('tell envelopes apart by a field that each requires', () => {
		const { shapes } = envelope;
		expect(new Set(shapes.map(({ id }) => id)).size).toBe(shapes.length);
		expect(new Set(shapes.map(({ mark }) => mark)).size).toBe(shapes.length);
		// The article of Misar.Blog is data of its events, whose own shapes require it.
		const required = shapes.length > 1 && provider.id !== 'misarBlog';
		for (const { mark, schema } of required ? shapes : []) {
			const result = schema.safeParse({});
			const missed = result.success ? [] : result.error.issues.map(({ path }) => path[0]);
			expect(missed).toContain(mark);
		}
	});

	it('name schemes once, by ids and titles of their own, with lower-case headers', () => {
		expect(new Set(schemes.map(({ id }) => id)).size).toBe(schemes.length);
		expect(new Set(schemes.map(({ name }) => name)).size).toBe(schemes.length);
		expect(schemes.map(({ id }) => id)).not.toContain('auto');
		for (const scheme of schemes) {
			expect(scheme.header).toMatch(/^[a-z][a-z-]+$/);
			if (scheme.kind !== 'hmac' || scheme.timestampHeader === undefined) continue;
			expect(scheme.timestampHeader).toMatch(/^[a-z][a-z-]+$/);
		}
		for (const header of envelope.eventHeaders) expect(header).toMatch(/^[a-z][a-z-]+$/);
	});

	it('say where the timestamp is for exactly those schemes that sign it', () => {
		for (const scheme of schemes) {
			if (scheme.kind !== 'hmac') continue;
			const told = scheme.layout.type === 'elements' || scheme.timestampHeader !== undefined;
			expect({ id: scheme.id, told }).toEqual({
				id: scheme.id,
				told: scheme.signed === 'timestamp.body',
			});
		}
	});

	it('leave Automatic a scheme to try, and let each scheme be pinned', () => {
		expect(schemesToTry(provider, settings([]))).toEqual(schemes.filter(({ auto }) => auto));
		expect(schemesToTry(provider, settings([])).length).toBeGreaterThan(0);
		for (const scheme of schemes) {
			expect(schemesToTry(provider, settings([], scheme.id))).toEqual([scheme]);
		}
		expect(schemesToTry(provider, settings([], 'no such scheme'))).toEqual([]);
	});

	it('list the bounce among the events, and no ping', () => {
		const names = events.map(({ name }) => name);
		for (const ping of envelope.testEvents) expect(names).not.toContain(ping);
		if (envelope.bounce !== undefined) expect(names).toContain(envelope.bounce.event);
	});

	it('give API paths below the Base URL, or registration by hand', () => {
		if (api === undefined) return expect(provider.defaultRegistration).toBe('manual');
		expect(api.paths.length).toBeGreaterThan(0);
		for (const path of api.paths) expect(path).toMatch(/^(?:\/[a-z0-9]+)+$/);
	});
});

describe('signature schemes', () => {
	it('are all tried by Automatic, except the legacy one of Metigan', () => {
		const pinned = providers.flatMap(([name, { schemes }]) =>
			schemes.filter(({ auto }) => !auto).map(({ id }) => `${name}: ${id}`),
		);
		expect(pinned).toEqual(['Metigan: legacy']);
	});

	it('of Misar.Blog include the shared secret itself, in its header', () => {
		const scheme = providerNamed('Misar.Blog').schemes.find(({ id }) => id === 'sharedSecret');
		expect(scheme).toMatchObject({ kind: 'sharedSecret', header: 'x-webhook-secret', auto: true });
	});
});

describe('management APIs', () => {
	it('of Misar Mail have both documented paths, and register automatically with a secret of ours', () => {
		const { api, defaultRegistration } = providerNamed('Misar Mail');
		expect(defaultRegistration).toBe('automatic');
		expect(api).toMatchObject({
			paths: ['/mail/v1/webhooks', '/mail/webhooks'],
			itemStyles: [{ id: 'path', update: 'PATCH' }],
			eventsFormat: 'list',
			sendsSecret: 'always',
			operations: { update: 'documented', delete: 'documented' },
		});
	});

	it('of Metigan are inferred, so endpoints are registered by hand unless the user chooses otherwise', () => {
		const { api, defaultRegistration } = providerNamed('Metigan');
		expect(defaultRegistration).toBe('manual');
		expect(api).toMatchObject({ paths: ['/api/webhooks'], eventsFormat: 'list' });
		expect(api?.page?.query(3, 20)).toEqual({ page: 3, limit: 20 });
	});

	it('of Misar Reach and Misar Post issue the secret', () => {
		for (const name of ['Misar Reach', 'Misar Post']) {
			const { api, defaultRegistration } = providerNamed(name);
			expect(defaultRegistration).toBe('automatic');
			expect(api).toMatchObject({
				eventsFormat: 'list',
				sendsSecret: 'never',
			});
		}
		// Its SDKs list and create; a delete is tried all the same.
		expect(providerNamed('Misar Reach').api?.operations).toEqual({ delete: 'unconfirmed' });
		// Its tools update and delete; their paths are inferred.
		expect(providerNamed('Misar Post').api?.operations).toEqual({
			update: 'unconfirmed',
			delete: 'unconfirmed',
		});
		expect(providerNamed('Misar Reach').api?.paths).toEqual(['/reach/api/webhooks/endpoints']);
	});

	it('of Mail Panda take events as one string, a secret of ours, and the ID in each place', () => {
		const { api, defaultRegistration } = providerNamed('Mail Panda');
		expect(defaultRegistration).toBe('automatic');
		expect(api).toMatchObject({
			paths: ['/api/webhooks/manage'],
			eventsFormat: 'commaSeparated',
			sendsSecret: 'always',
			operations: { update: 'unconfirmed', delete: 'unconfirmed' },
		});
		expect(new Set(api?.itemStyles.map(({ id }) => id))).toEqual(
			new Set(['query', 'body', 'path']),
		);
	});

	it.each(['Misar.Dev', 'Misar.ai', 'Misar.Ink', 'Misar.Blog'])(
		'of %s are not documented',
		(name) => {
			expect(providerNamed(name).api).toBeUndefined();
		},
	);
});

it('only Misar.Blog and Mail Panda may do without a secret, only Misar Post pings first, only Misar.Blog never retries', () => {
	const named = (has: (provider: Provider) => boolean) =>
		providers.filter(([, provider]) => has(provider)).map(([name]) => name);
	expect(named(({ secretOptional }) => secretOptional === true)).toEqual([
		'Mail Panda',
		'Misar.Blog',
	]);
	expect(named(({ envelope }) => envelope.pingsOnCreate === true)).toEqual(['Misar Post']);
	// "Retries: none" (docs.misar.io/blog/api-reference/webhooks).
	expect(named(({ envelope }) => !envelope.retried)).toEqual(['Misar.Blog']);
});

it('no two providers share both ID and product', () => {
	const keys = providers.map(([, { id, product }]) => `${id}/${product ?? ''}`);
	expect(new Set(keys).size).toBe(keys.length);
});
