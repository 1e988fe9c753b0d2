import type { ProviderFamily } from '../shared/provider';
import { misarMail } from './mail';

/** The products of Misar that the trigger offers. */
export const misar: ProviderFamily = [misarMail];
