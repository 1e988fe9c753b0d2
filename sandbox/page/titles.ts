import type { ProviderId } from '../types';

/** The providers by the names that people know them by. */
export const titles: Readonly<Record<ProviderId, string>> = {
	'misar.mail': 'Misar Mail',
	'misar.reach': 'Misar Reach',
	'misar.post': 'Misar Post',
	'misar.dev': 'Misar.Dev',
	'misar.ai': 'Misar.ai',
	'misar.ink': 'Misar.Ink',
	misarBlog: 'Misar.Blog',
	mailPanda: 'Mail Panda',
	metigan: 'Metigan',
};
