import { buildDelivery, type Tamper } from '../../sandbox';
import type { TriggerCase } from '../../testkit/triggers';

/** A request ready to be sent again and again. */
export interface ForgedRequest {
	readonly path: string;
	readonly headers: Record<string, string>;
	readonly body: Buffer;
}

const HUGE_BYTES = 512 * 1024;

/**
 * What a forger who knows everything but the secret sends to one trigger, one request of each kind.
 *
 * @param path - of the webhook URL
 * @param secret - what genuine deliveries are signed with
 */
export function forgeriesOf(trigger: TriggerCase, path: string, secret: string): ForgedRequest[] {
	const { provider, events, scheme, timestamped } = trigger;
	const tampers: Tamper[] = [
		'unsigned',
		'wrongSecret',
		'signature',
		// A shared secret covers neither body nor time.
		...(scheme === 'sharedSecret' ? [] : ['body' as const]),
		...(timestamped ? (['stale', 'future'] as const) : []),
	];
	const build = (tamper: Tamper, data?: object) =>
		buildDelivery({
			provider,
			event: events[0],
			scheme,
			secret,
			tamper,
			...(data === undefined ? {} : { data }),
		});
	const wrong = build('wrongSecret');
	const proof = Object.keys(wrong.headers).filter((name) => /signature|secret/.test(name));
	const garbage = { ...wrong.headers, ...Object.fromEntries(proof.map((name) => [name, GARBAGE])) };
	const huge = { article: {}, author: {}, padding: 'x'.repeat(HUGE_BYTES) };
	return [
		...tampers.map((tamper) => build(tamper)),
		{ ...wrong, headers: garbage },
		build('wrongSecret', huge),
	].map((request) => ({ path, ...request }));
}

const GARBAGE = `t=,v1=zz,v1=${'\u00ff'.repeat(40)},,=;sha256=${'0'.repeat(4_000)}`;
