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
	/** Two documented events; a product without any has made-up ones, taken as custom events. */
	readonly events: readonly [string, string];
	readonly customEvents?: true;
	/** The scheme of the sandbox that deliveries come in, and whether it signs a timestamp. */
	readonly scheme: string;
	readonly timestamped: boolean;
}

const MISAR = {
	node: 'misarTrigger',
	path: 'misar',
	nodeFile: 'nodes/Misar/MisarTrigger.node.js',
	credential: 'misarApi',
	credentialFile: 'credentials/MisarApi.credentials.js',
} as const;

export const misarMail = {
	...MISAR,
	title: 'Misar Mail',
	provider: 'misar.mail',
	parameters: { product: 'mail' },
	api: { path: '/mail/v1/webhooks' },
	events: ['email.bounced', 'email.delivered'],
	scheme: 'timestamped',
	timestamped: true,
} as const satisfies TriggerCase;

export const misarReach = {
	...MISAR,
	title: 'Misar Reach',
	provider: 'misar.reach',
	parameters: { product: 'reach' },
	api: { path: '/reach/api/webhooks/endpoints' },
	events: ['deal.won', 'reply.received'],
	scheme: 'reach',
	timestamped: true,
} as const satisfies TriggerCase;

export const misarPost = {
	...MISAR,
	title: 'Misar Post',
	provider: 'misar.post',
	parameters: { product: 'post' },
	api: { path: '/post/webhooks' },
	events: ['post.published', 'post.failed'],
	scheme: 'platform',
	timestamped: false,
} as const satisfies TriggerCase;

export const misarDev = {
	...MISAR,
	title: 'Misar.Dev',
	provider: 'misar.dev',
	parameters: { product: 'dev' },
	events: ['plugin.installed', 'agent.run.failed'],
	scheme: 'platform',
	timestamped: false,
} as const satisfies TriggerCase;

export const misarAi = {
	...MISAR,
	title: 'Misar.ai',
	provider: 'misar.ai',
	parameters: { product: 'ai' },
	events: ['deploy.failed', 'project.created'],
	scheme: 'platform',
	timestamped: false,
} as const satisfies TriggerCase;

export const misarInk = {
	...MISAR,
	title: 'Misar.Ink',
	provider: 'misar.ink',
	parameters: { product: 'ink' },
	events: ['drawing.made', 'drawing.shared'],
	customEvents: true,
	scheme: 'platform',
	timestamped: false,
} as const satisfies TriggerCase;

export const misarBlog = {
	title: 'Misar.Blog',
	provider: 'misarBlog',
	node: 'misarBlogTrigger',
	path: 'misar-blog',
	nodeFile: 'nodes/MisarBlog/MisarBlogTrigger.node.js',
	credential: 'misarBlogApi',
	credentialFile: 'credentials/MisarBlogApi.credentials.js',
	parameters: {},
	events: ['article.published', 'article.deleted'],
	scheme: 'sharedSecret',
	timestamped: false,
} as const satisfies TriggerCase;

export const mailPanda = {
	title: 'Mail Panda',
	provider: 'mailPanda',
	node: 'mailPandaTrigger',
	path: 'mail-panda',
	nodeFile: 'nodes/MailPanda/MailPandaTrigger.node.js',
	credential: 'mailPandaApi',
	credentialFile: 'credentials/MailPandaApi.credentials.js',
	parameters: {},
	api: { path: '/api/webhooks/manage' },
	events: ['bounce', 'unsubscribe'],
	scheme: 'bare',
	timestamped: false,
} as const satisfies TriggerCase;

export const metigan = {
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
	scheme: 'timestamped',
	timestamped: true,
} as const satisfies TriggerCase;

/** Every trigger, and every product of those that have several. */
export const triggerCases: readonly TriggerCase[] = [
	misarMail,
	misarReach,
	misarPost,
	misarDev,
	misarAi,
	misarInk,
	misarBlog,
	mailPanda,
	metigan,
];

/** Node parameters that select a trigger's two events. */
export function eventParameters({ events, customEvents }: TriggerCase) {
	return customEvents === true
		? { events: [], options: { customEvents: events.join(', ') } }
		: { events: [...events] };
}
