import { defineMethod } from './method.ts';

/** Sums of weights smaller than this are not divided by. */
const smallestDivisor = 1e-8;

export const taskArithmetic = defineMethod({
  name: 'task_arithmetic',
  title: 'Task arithmetic',
  description: "Adds the models' weighted differences from the base (their task vectors) to the base.",
  formula: 'out = base + lambda · Σ weight_i · (x_i − base)   (the sum divided by Σ weight_i with normalize)',
  paper: { title: 'Editing models with task arithmetic', url: 'https://arxiv.org/abs/2212.04089' },
  inputs: { base: 'required', least: 1 },
  parameters: {
    weight: {
      type: 'number',
      scope: 'others',
      range: [-1, 1],
      description: "Factor of this model's task vector; a negative one unlearns it.",
    },
    normalize: {
      type: 'boolean',
      scope: 'method',
      default: false,
      description: 'Divide the sum of the task vectors by the sum of the weights.',
    },
    lambda: {
      type: 'number',
      scope: 'method',
      default: 1,
      range: [0, 2],
      description: 'Factor of the summed task vectors.',
    },
  },
  merge(block, { weight, normalize, lambda }) {
    const { kernels, rounding, base, others, out, scratch, n } = block;
    const [x, b] = scratch;
    if (base === undefined) throw new Error('task_arithmetic ran without a base');
    if (others.length === 0) return base.load(out);
    base.load(b);
    kernels.zero(out, n);
    let total = 0;
    others.forEach((other, i) => {
      const factor = block.round(weight[i] ?? 0);
      other.load(x);
      kernels.subtract[rounding](x, b, x, n);
      kernels.addScaled[rounding](x, factor, out, n);
      total = Math.fround(total + factor);
    });
    kernels.round[rounding](out, n);
    if (normalize) {
      const divisor = block.round(total);
      const tiny = Math.abs(divisor) < block.round(smallestDivisor);
      if (!tiny) kernels.divide[rounding](out, divisor, n);
    }
    if (lambda !== 1) kernels.scale[rounding](out, lambda, n);
    kernels.add[rounding](b, out, out, n);
  },
});
