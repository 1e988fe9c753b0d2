import { jest } from '@jest/globals';
import { Logger } from '@n8n/backend-common';
import { Container } from '@n8n/di';

/** The warnings that nodes write to n8n's log from now on, as long as no mock is restored. */
export function recordWarnings(): string[] {
	const warnings: string[] = [];
	jest.spyOn(Container.get(Logger), 'warn').mockImplementation((message) => {
		warnings.push(message);
	});
	return warnings;
}
