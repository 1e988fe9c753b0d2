import { z } from 'zod';
import type { Api, ApiRequest, ApiServices, KeyScope, RetryPolicy } from '../provider';

/** Events a person added to a provider's list, see `Behaviour.extraEvents`. */
export const extraEvents = z.array(z.string()).default([]);

/** No retry: the provider documents none, or says nothing about it. */
export function noRetry(timeoutSeconds: number): RetryPolicy {
	return { delaysSeconds: [], timeoutSeconds };
}

/** `count` waits, each `factor` times the one before, that add up to `totalSeconds`. */
export function exponential(count: number, factor: number, totalSeconds: number): number[] {
	const weights = Array.from({ length: count }, (_, index) => factor ** index);
	const sum = weights.reduce((total, weight) => total + weight, 0);
	return weights.map((weight) => (totalSeconds * weight) / sum);
}

/** The caller's scope by `Authorization: Bearer <key>`. */
export function bearerScope(
	{ headers }: ApiRequest,
	keys: ApiServices['keys'],
): KeyScope | undefined {
	return keyScope(/^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1], keys);
}

export function keyScope(key: string | undefined, keys: ApiServices['keys']): KeyScope | undefined {
	if (key === keys.full) return 'full';
	return key === keys.limited ? 'limited' : undefined;
}

/** Everything at or below a path. */
export function ownsPath(root: string): Api['owns'] {
	return ({ path }) => path === root || path.startsWith(`${root}/`);
}
