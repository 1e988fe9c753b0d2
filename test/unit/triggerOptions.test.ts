import { describe, expect, it } from '@jest/globals';
import type { INodeProperties } from 'n8n-workflow';

import { deliveryOptions } from '../../nodes/shared/properties';
import type { Provider } from '../../nodes/shared/provider';
import { triggerProperties } from '../../nodes/shared/trigger/properties';
import { families } from './allProviders';

/** Which options the editor shows: those that have an effect, while they have one. */

/** Options that only some triggers have, in alphabetical order of their titles. */
const CONDITIONAL = [
	...['acceptUnverified', 'apiPath', 'bounceType', 'checkInterval', 'itemAddress'],
	...['outputPerEvent', 'recoverMissed', 'recoverNewest', 'toleranceSeconds'],
];

/** Whether a scheme of the provider signs a timestamp. */
const isTimestamped = ({ schemes }: Provider) =>
	schemes.some((scheme) => scheme.kind === 'hmac' && scheme.signed === 'timestamp.body');

/** `name?` is shown with automatic registration only, `name!` while missed events are recovered. */
function optionsOf(provider: Provider): string[] {
	const { api, recovery, envelope, events, secretOptional } = provider;
	const addresses = new Set(api?.itemStyles.map(({ id }) => id));
	// The same interval is that of the repairs, which need an API for endpoints, and of the recovery.
	const checks = recovery === undefined ? 'checkInterval?' : 'checkInterval';
	return [
		...(secretOptional === true ? ['acceptUnverified'] : []),
		...(api === undefined ? [] : ['apiPath?', checks]),
		...(addresses.size > 1 ? ['itemAddress?'] : []),
		...(api === undefined && recovery !== undefined ? ['checkInterval!'] : []),
		...(recovery === undefined ? [] : ['recoverMissed', 'recoverNewest!']),
		...(envelope.bounce === undefined ? [] : ['bounceType']),
		...(events.length === 0 ? [] : ['outputPerEvent']),
		...(isTimestamped(provider) ? ['toleranceSeconds'] : []),
	];
}

const rows = families.flatMap(({ family }) =>
	family.map((provider) => ({ title: provider.displayName, family, provider })),
);

const optionsIn = (property: INodeProperties) =>
	(property.options ?? []).flatMap((option) => ('type' in option ? [option] : []));

describe.each(rows)('$title', ({ family, provider }) => {
	const [property, ...others] = triggerProperties(family).filter(
		({ name, displayOptions }) =>
			name === 'options' &&
			(displayOptions?.show?.['product'] ?? [provider.product]).includes(provider.product),
	);
	const options = optionsIn(property as INodeProperties);

	it('shows only options that have an effect', () => {
		expect(others).toEqual([]);
		const shown = options
			.filter(({ name }) => CONDITIONAL.includes(name))
			.map(({ name, displayOptions }) => {
				if (displayOptions === undefined) return name;
				if (displayOptions.show?.['recoverMissed']?.[0] === true) return `${name}!`;
				expect(displayOptions).toEqual({ show: { '/registration': ['automatic'] } });
				return `${name}?`;
			});
		expect(shown.sort()).toEqual(optionsOf(provider).sort());
	});

	it('can answer after the run if deliveries are sent again, and shows what belongs to it only then', () => {
		const names = ['answer', 'longRuns', 'maxAttempts'];
		const shown = options
			.filter(({ name }) => names.includes(name))
			.map(({ name, displayOptions }) => [name, displayOptions]);
		const afterRun = { show: { answer: ['succeeded'] } };
		expect(shown).toEqual(
			!provider.envelope.retried
				? []
				: [
						['answer', undefined],
						['longRuns', afterRun],
						['maxAttempts', afterRun],
					],
		);
	});

	it('has a tolerance in Receive if and only if a timestamp is signed', () => {
		const names = deliveryOptions(provider).map(({ name }) => name);
		expect(names.includes('toleranceSeconds')).toBe(isTimestamped(provider));
	});
});
