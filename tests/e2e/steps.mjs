// steps.mjs: a story told step by step; a failure says where it happened

export class StepError extends Error {
	constructor(name, cause) {
		super(`${name}: ${cause.message}`, { cause });
	}
}

// step(name, work) runs and times `work`; what it throws names the step.
export function steps(say = console.log) {
	return async (name, work) => {
		const start = Date.now();
		try {
			const result = await work();
			say(`  ok  ${name} (${Date.now() - start} ms)`);
			return result;
		} catch (error) {
			say(`  NO  ${name}`);
			throw new StepError(name, error);
		}
	};
}

export function expect(true_, what) {
	if (!true_)
		throw new Error(what);
}
