import type { z } from 'zod';
import { describeIssues } from './answers';
import type { VariantHolder } from './provider';
import type { Behaviour } from './types';
import { fieldIssues } from './validation';

/** The behaviour of one provider that can be switched: a schema with a default for each field. */
export class Variants<S extends z.AnyZodObject> implements VariantHolder {
	/** The values in force. */
	current: z.infer<S>;

	constructor(private readonly schema: S) {
		this.current = schema.parse({});
	}

	snapshot(): Partial<Behaviour> {
		return this.current;
	}

	/** Throws for a point or value the schema does not have. */
	change(patch: Partial<Behaviour>): void {
		const parsed = this.schema.strict().safeParse({ ...this.current, ...patch });
		if (!parsed.success) {
			throw new Error(`Behaviour refused: ${describeIssues(fieldIssues(parsed.error))}`);
		}
		this.current = parsed.data;
	}

	reset(): void {
		this.current = this.schema.parse({});
	}
}
