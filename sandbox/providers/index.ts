import type { Provider } from '../provider';
import type { ProviderId } from '../types';
import { mailPanda } from './mailPanda';
import { metigan } from './metigan';
import { misarBlog } from './misarBlog';
import { misarMail } from './misarMail';
import { misarAi, misarDev, misarInk } from './misarPlatform';
import { misarPost } from './misarPost';
import { misarReach } from './misarReach';

/**
 * The only list of providers: a new one needs its file and a line here. A path that two of them could serve goes
 * to the first one that owns it (see `Api.owns`).
 */
export const providers: Readonly<Record<ProviderId, Provider>> = {
	'misar.mail': misarMail,
	'misar.reach': misarReach,
	'misar.post': misarPost,
	'misar.dev': misarDev,
	'misar.ai': misarAi,
	'misar.ink': misarInk,
	misarBlog,
	mailPanda,
	metigan,
};
