import type { Fault, Sandbox } from '../../sandbox';
import {
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	type TriggerCase,
} from '../../testkit/triggers';

/** A trigger in one way to sign in, or with one way its provider may behave. */
export interface Variant {
	readonly title: string;
	readonly trigger: TriggerCase;
	/** Every fault at every call of the plain steps, see `scenariosOf`; the others get a share. */
	readonly full?: true;
	readonly credential: (sandbox: Sandbox) => Record<string, string>;
	/** Switches the sandbox to the behaviour in question. */
	readonly setUp?: (sandbox: Sandbox) => void;
	/** The provider has no call to delete an endpoint: what is superseded stays behind. */
	readonly keepsEndpoints?: true;
	/** The provider makes the signing secret, and shows it once. */
	readonly issuesSecret?: true;
}

const byKey =
	({ provider }: TriggerCase): Variant['credential'] =>
	(sandbox) => ({ apiKey: sandbox.keys[provider] });

/** Every trigger that registers itself. The two that get every fault differ in having an update. */
export const variants: readonly Variant[] = [
	{ title: 'Misar Mail', trigger: misarMail, full: true, credential: byKey(misarMail) },
	{ title: 'Misar Post', trigger: misarPost, full: true, credential: byKey(misarPost) },
	{
		title: 'Misar Reach',
		trigger: misarReach,
		credential: byKey(misarReach),
		keepsEndpoints: true,
		issuesSecret: true,
	},
	{
		title: 'Misar Reach, delete served',
		trigger: misarReach,
		issuesSecret: true,
		credential: byKey(misarReach),
		setUp: (sandbox) => sandbox.setBehaviour('misar.reach', { deleteOffered: true }),
	},
	{ title: 'Mail Panda, API key', trigger: mailPanda, credential: byKey(mailPanda) },
	{
		title: 'Mail Panda, session',
		trigger: mailPanda,
		credential: ({ login }) => ({ authentication: 'session', ...login }),
	},
	{ title: 'Metigan', trigger: metigan, credential: byKey(metigan) },
];

/** One that takes our secret, and one that makes its own, which documents no call to delete an endpoint. */
export const productsWithAndWithoutSecrets: readonly Variant[] = variants.filter(
	({ trigger }) => trigger.provider === 'misar.mail' || trigger.provider === 'misar.reach',
);

/** A way for one call to go wrong. */
export interface CallFault {
	/** For the table, e.g. `500 after, lasting`. */
	readonly name: string;
	readonly group: string;
	readonly fault: Fault & { readonly times: number };
}

interface Kind {
	readonly name: string;
	readonly group: string;
	readonly fault: Fault;
	/** Also played to the end of the step, so that what n8n does after the failure fails too. */
	readonly lasts?: true;
}

const kinds: readonly Kind[] = [
	{ name: '500', group: 'error status', fault: { kind: 'status', status: 500 }, lasts: true },
	{ name: '503', group: 'error status', fault: { kind: 'status', status: 503 } },
	{ name: '429', group: 'refusal', fault: { kind: 'rateLimit' } },
	{ name: 'plan refusal', group: 'refusal', fault: { kind: 'planRefusal' } },
	{ name: 'reset', group: 'connection reset', fault: { kind: 'drop' }, lasts: true },
	{ name: 'cut off', group: 'unreadable answer', fault: { kind: 'truncate' } },
	{ name: 'web page', group: 'unreadable answer', fault: { kind: 'html' } },
	{ name: 'empty', group: 'unreadable answer', fault: { kind: 'empty' } },
	{ name: 'no answer', group: 'timeout', fault: { kind: 'hang' } },
];

/** More calls than any step makes. */
const LASTING = 1_000;

/** Each kind before and after the provider has acted (who refuses does not act). */
export const callFaults: readonly CallFault[] = kinds.flatMap(({ name, group, fault, lasts }) =>
	(group === 'refusal' ? (['before'] as const) : (['before', 'after'] as const)).flatMap((when) => [
		{ name: `${name} ${when}`, group, fault: { ...fault, when, times: 1 } },
		...(lasts === true
			? [{ name: `${name} ${when}, lasting`, group, fault: { ...fault, when, times: LASTING } }]
			: []),
	]),
);
