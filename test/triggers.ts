import type { ProviderId } from '../sandbox';

/** A trigger of the package and what is needed to drive it at the sandbox. */
export interface TriggerCase {
	/** Name in the editor, e.g. "Misar Mail". */
	readonly title: string;
	readonly provider: ProviderId;
	/** Node type without the package's name. */
	readonly node: string;
	/** Last part of the webhook URL. */
	readonly path: string;
	/** Compiled files of the node and of its credential. */
	readonly nodeFile: string;
	readonly credential: string;
	readonly credentialFile: string;
	/** Node parameters besides `registration`, `events` and `options`. */
	readonly parameters: Readonly<Record<string, string>>;
	/** Whether the provider has an API to register webhooks with. */
	readonly api?: { readonly path: string };
	/** Two documented events. */
	readonly events: readonly [string, string];
	/** Scheme of the sandbox with a signed timestamp. */
	readonly timestampedScheme: string;
}

export const misarMail: TriggerCase & { api: object } = {
	title: 'Misar Mail',
	provider: 'misar.mail',
	node: 'misarTrigger',
	path: 'misar',
	nodeFile: 'nodes/Misar/MisarTrigger.node.js',
	credential: 'misarApi',
	credentialFile: 'credentials/MisarApi.credentials.js',
	parameters: { product: 'mail' },
	api: { path: '/mail/v1/webhooks' },
	events: ['email.bounced', 'email.delivered'],
	timestampedScheme: 'timestamped',
};

export const metigan: TriggerCase & { api: object } = {
	title: 'Metigan',
	provider: 'metigan',
	node: 'metiganTrigger',
	path: 'metigan',
	nodeFile: 'nodes/Metigan/MetiganTrigger.node.js',
	credential: 'metiganApi',
	credentialFile: 'credentials/MetiganApi.credentials.js',
	parameters: {},
	api: { path: '/api/webhooks' },
	events: ['email.bounced', 'email.delivered'],
	timestampedScheme: 'timestamped',
};

/** Every trigger, and every product of those that have several. */
export const triggerCases: readonly TriggerCase[] = [misarMail, metigan];
