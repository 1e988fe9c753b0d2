import type { ComponentChildren } from 'preact';

interface SelectProps {
	id: string;
	label: string;
	value: string;
	onChange(value: string): void;
	children: ComponentChildren;
}

/** A choice with its label. */
export function Select({ id, label, value, onChange, children }: SelectProps) {
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
				{children}
			</select>
		</div>
	);
}

interface InputProps {
	id: string;
	label: string;
	value: string;
	onChange(value: string): void;
	hint?: string;
	required?: boolean;
}

/** A line of text with its label. */
export function Input({ id, label, value, onChange, hint, required }: InputProps) {
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<input
				id={id}
				value={value}
				required={required ?? false}
				spellcheck={false}
				autocomplete="off"
				onInput={({ currentTarget }) => onChange(currentTarget.value)}
				{...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
			/>
			{hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
		</div>
	);
}

interface NumberInputProps {
	id: string;
	label: string;
	value: number;
	min: number;
	max: number;
	onChange(value: number): void;
}

/** A whole number with its label. */
export function NumberInput({ id, label, value, min, max, onChange }: NumberInputProps) {
	return (
		<div class="field short">
			<label for={id}>{label}</label>
			<input
				id={id}
				type="number"
				min={min}
				max={max}
				required
				value={value}
				onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
			/>
		</div>
	);
}
