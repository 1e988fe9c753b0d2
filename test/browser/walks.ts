import {
	mailPanda,
	metigan,
	misarBlog,
	misarDev,
	misarMail,
	type TriggerCase,
} from '../../testkit/triggers';

/** How a person sets one trigger up. */
export interface Walk {
	readonly trigger: TriggerCase;
	/** What is typed into the search, what is picked there and in the list below. */
	readonly add: [query: string, node: string, entry: string];
	/** Parameters that are chosen afterwards. */
	readonly choose: ReadonlyArray<[parameter: string, option: string]>;
	/** What the provider sends then. */
	readonly event: string;
	readonly image: string;
	readonly subtitle: string;
	/** What n8n shows when the provider refuses the API key; absent where the URL is added by hand. */
	readonly refusal?: RegExp;
}

/** Every trigger; the Misar trigger with a product that registers itself and one that cannot. */
export const walks: readonly Walk[] = [
	{
		trigger: misarMail,
		add: ['misar', 'Misar', 'On email bounced'],
		choose: [['events', 'Email Unsubscribed']],
		event: 'email.bounced',
		image: 'misarTrigger',
		subtitle: 'Misar Mail: Email Bounced, Email Unsubscribed',
		refusal: /Misar did not accept the API key/,
	},
	{
		trigger: misarDev,
		add: ['misar', 'Misar', 'On all events'],
		choose: [
			['product', 'Misar.Dev'],
			['events', 'Plugin Installed'],
		],
		event: 'plugin.installed',
		image: 'misarTrigger-dev',
		subtitle: 'Misar.Dev: Plugin Installed',
	},
	{
		trigger: misarBlog,
		add: ['misar', 'Misar.Blog', 'On article deleted'],
		choose: [['events', 'Article Published']],
		event: 'article.deleted',
		image: 'misarBlogTrigger',
		subtitle: 'Article Deleted, Article Published',
	},
	{
		trigger: mailPanda,
		add: ['unsubscribe', 'Mail Panda', 'On email bounced'],
		choose: [['events', 'Email Unsubscribed']],
		event: 'bounce',
		image: 'mailPandaTrigger',
		subtitle: 'Email Bounced, Email Unsubscribed',
		refusal: /Mail Panda did not accept this/,
	},
	{
		trigger: metigan,
		add: ['bounce', 'Metigan', 'On email bounced'],
		choose: [['events', 'Email Complained']],
		event: 'email.bounced',
		image: 'metiganTrigger',
		subtitle: 'Email Bounced, Email Complained',
	},
];
