import {
	mailPanda,
	metigan,
	misarBlog,
	misarDev,
	misarMail,
	type TriggerCase,
} from '../../testkit/triggers';

/**
 * The words in bold in the numbered steps of a document: what a reader looks for on the screen.
 *
 * @param heading - the heading above the steps
 */
export function labelsInSteps(markdown: string, heading: string): string[] {
	const [, after = ''] = markdown.split(`\n${heading}\n`);
	const [section = ''] = after.split(/^#{2,3} /m);
	const [, list = ''] = /^(1\. .*?)(?=^\S(?<!\d))/ms.exec(`${section}\nend`) ?? [];
	return [...list.matchAll(/\*\*(.+?)\*\*/gs)].map(([, label = '']) => label.replace(/\s+/g, ' '));
}

/** How a person sets one trigger up. */
export interface Walk {
	readonly trigger: TriggerCase;
	/** What is typed into the search, what is picked there and in the list below. */
	readonly add: [query: string, node: string, entry: string];
	/** Parameters that are chosen afterwards. */
	readonly choose: ReadonlyArray<[parameter: string, option: string]>;
	/** The document and the heading above the steps that the walk follows. */
	readonly steps: readonly [document: string, heading: string];
	/** What the provider sends then. */
	readonly event: string;
	readonly image: string;
	readonly subtitle: string;
	/** The credential needs no API key, because the URL is added by hand. */
	readonly byHand?: boolean;
}

/** Every trigger; the Misar trigger with a product that registers itself and one that cannot. */
export const walks: readonly Walk[] = [
	{
		trigger: misarMail,
		add: ['misar', 'Misar', 'On email bounced (Misar Mail)'],
		choose: [['events', 'Email Unsubscribed']],
		steps: ['README.md', '## Your first event'],
		event: 'email.bounced',
		image: 'misarTrigger',
		subtitle: 'Email Bounced +1',
	},
	{
		trigger: misarDev,
		byHand: true,
		add: ['misar', 'Misar', 'On all events (Misar Mail, or choose another product)'],
		choose: [
			['product', 'Misar.Dev'],
			['events', 'Plugin Installed'],
		],
		steps: ['docs/providers.md', '### Misar.Dev, Misar.ai and Misar.Ink'],
		event: 'plugin.installed',
		image: 'misarTrigger-dev',
		subtitle: 'Misar.Dev: Plugin Installed',
	},
	{
		trigger: misarBlog,
		byHand: true,
		add: ['misar', 'Misar.Blog', 'On article deleted'],
		choose: [['events', 'Article Published']],
		steps: ['docs/providers.md', '## Misar.Blog'],
		event: 'article.deleted',
		image: 'misarBlogTrigger',
		subtitle: 'Article Deleted +1',
	},
	{
		trigger: mailPanda,
		add: ['unsubscribe', 'Mail Panda', 'On email bounced'],
		choose: [['events', 'Email Unsubscribed']],
		steps: ['docs/providers.md', '## Mail Panda'],
		event: 'bounce',
		image: 'mailPandaTrigger',
		subtitle: 'Email Bounced +1',
	},
	{
		trigger: metigan,
		byHand: true,
		add: ['bounce', 'Metigan', 'On email bounced'],
		choose: [['events', 'Marked as Spam']],
		steps: ['docs/providers.md', '## Metigan'],
		event: 'email.bounced',
		image: 'metiganTrigger',
		subtitle: 'Email Bounced, Marked as Spam',
	},
];
