import { describe, expect, it } from '@jest/globals';
import type { INodeProperties } from 'n8n-workflow';

import { mailPanda } from '../../nodes/MailPanda/provider';
import { metigan } from '../../nodes/Metigan/provider';
import { misar } from '../../nodes/Misar/provider';
import { misarBlog } from '../../nodes/MisarBlog/provider';
import { deliveryOptions } from '../../nodes/shared/properties';
import { triggerProperties } from '../../nodes/shared/trigger/properties';

/** Which options the editor shows: those that have an effect, while they have one. */

/** Options that only some triggers have, in alphabetical order of their titles. */
const CONDITIONAL = [
	...['acceptUnverified', 'apiPath', 'bounceType', 'checkInterval', 'itemAddress'],
	...['outputPerEvent', 'recoverMissed', 'recoverNewest', 'toleranceSeconds'],
];

/** `name?` is shown with automatic registration only, `name!` while missed events are recovered. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
	'Misar Mail': ['apiPath?', 'bounceType', 'checkInterval?', 'outputPerEvent', 'toleranceSeconds'],
	'Misar Reach': ['apiPath?', 'checkInterval?', 'outputPerEvent', 'toleranceSeconds'],
	'Misar Post': ['apiPath?', 'checkInterval?', 'outputPerEvent'],
	'Misar.Dev': ['outputPerEvent'],
	'Misar.ai': ['outputPerEvent'],
	'Misar.Ink': [],
	// Without an API for endpoints the interval is that of the recovery.
	'Misar.Blog': [
		'acceptUnverified',
		'checkInterval!',
		'outputPerEvent',
		'recoverMissed',
		'recoverNewest!',
	],
	'Mail Panda': [
		'acceptUnverified',
		'apiPath?',
		'checkInterval?',
		'itemAddress?',
		'outputPerEvent',
	],
	Metigan: [
		'apiPath?',
		'bounceType',
		'checkInterval',
		'outputPerEvent',
		'recoverMissed',
		'recoverNewest!',
		'toleranceSeconds',
	],
};

const rows = [misar, misarBlog, mailPanda, metigan].flatMap((family) =>
	family.map((provider) => ({ title: provider.displayName, family, provider })),
);

const optionsIn = (property: INodeProperties) =>
	(property.options ?? []).flatMap((option) => ('type' in option ? [option] : []));

it('every trigger has a row', () => {
	expect(rows.map(({ title }) => title).sort()).toEqual(Object.keys(OPTIONS).sort());
});

describe.each(rows)('$title', ({ title, family, provider }) => {
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
		expect(shown.sort()).toEqual([...(OPTIONS[title] ?? [])].sort());
	});

	it('can answer after the run if deliveries are sent again, and shows what belongs to it only then', () => {
		const names = ['answer', 'longRuns', 'maxAttempts'];
		const shown = options
			.filter(({ name }) => names.includes(name))
			.map(({ name, displayOptions }) => [name, displayOptions]);
		const afterRun = { show: { answer: ['succeeded'] } };
		expect(shown).toEqual(
			title === 'Misar.Blog'
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
		expect(names.includes('toleranceSeconds')).toBe(
			OPTIONS[title]?.includes('toleranceSeconds') === true,
		);
	});
});
