import type { ProviderFamily } from '../shared/provider';
import { misarMail } from './mail';
import { misarAi, misarDev, misarInk } from './platform';
import { misarPost } from './post';
import { misarReach } from './reach';

/** The products of Misar that the trigger offers. */
export const misar: ProviderFamily = [
	misarMail,
	misarReach,
	misarPost,
	misarDev,
	misarAi,
	misarInk,
];
