// The model, the system text and how tokens are chosen.

const field = (id) => document.getElementById(id);
const model = field('model');
const system = field('system');

/** Settings that are numbers, by the request's name for them. */
const NUMBERS = {
  temperature: { input: field('temperature'), name: 'temperature', expected: 'a number, 0 or more' },
  max_tokens: { input: field('max-tokens'), name: 'maxTokens', expected: 'a whole number, 1 or more' },
  seed: { input: field('seed'), name: 'seed', expected: 'a whole number' },
};

/** Shows settings that were kept. */
export function show(settings) {
  system.value = settings.system ?? '';
  for (const { input, name } of Object.values(NUMBERS)) {
    input.value = settings[name] ?? '';
  }
}

/**
 * What the fields say.
 *
 * @param {string} before the model, while none is offered
 */
export function read(before) {
  const settings = { model: isOffered() ? model.value : before, system: system.value };
  for (const { input, name } of Object.values(NUMBERS)) {
    settings[name] = input.validity.valid && input.value !== '' ? input.valueAsNumber : null;
  }
  return settings;
}

/** The first field that holds no such number, as a sentence, or null. */
export function mistake() {
  for (const { input, expected } of Object.values(NUMBERS)) {
    mark(input, !input.validity.valid);
  }
  const wrong = Object.values(NUMBERS).find(({ input }) => !input.validity.valid);
  return wrong ? { input: wrong.input, text: `${wrong.input.labels[0].textContent}: expected ${wrong.expected}.` } : null;
}

/** Marks the field that the server did not take. */
export function blame(param) {
  const input = param === 'model' ? model : NUMBERS[param]?.input;
  if (input) {
    mark(input, true);
  }
  return input ?? null;
}

function mark(input, wrong) {
  if (wrong) {
    input.setAttribute('aria-invalid', 'true');
  } else {
    input.removeAttribute('aria-invalid');
  }
}

for (const input of [model, ...Object.values(NUMBERS).map((number) => number.input)]) {
  input.addEventListener('input', () => mark(input, false));
}

/** Whether the server has said which models it has. */
export function isOffered() {
  return !model.disabled;
}

/**
 * Offers the server's models.
 *
 * @param {string} wanted the one that was chosen before
 * @return {boolean} whether it is among them
 */
export function offer(names, wanted) {
  model.replaceChildren(
    ...names.map((name) => {
      const option = document.createElement('option');
      option.textContent = name;
      option.value = name;
      return option;
    }),
  );
  model.disabled = names.length === 0;
  mark(model, false);
  const there = names.includes(wanted);
  if (there) {
    model.value = wanted;
  }
  return there;
}
