import { defineMethod, sumRowF32 } from './method.ts';

export const linear = defineMethod({
  name: 'linear',
  title: 'Linear (model soup)',
  description: 'The weighted average of all models. A base model, if given, is a model like any other.',
  formula: 'out = Σ weight_i · x_i / Σ weight_i   (without the division when normalize is false)',
  paper: { title: 'Model soups', url: 'https://arxiv.org/abs/2203.05482' },
  inputs: { base: 'ignored', least: 1 },
  parameters: {
    weight: {
      type: 'number',
      scope: 'inputs',
      range: [0, 1],
      description: 'Share of this model. With normalize only the ratios between the models count.',
    },
    normalize: {
      type: 'boolean',
      scope: 'method',
      default: true,
      description: 'Divide by the sum of the weights.',
    },
  },
  check({ weight, normalize }) {
    return normalize && sumRowF32(weight) === 0
      ? 'the weights sum to zero, so that they cannot be normalized'
      : undefined;
  },
  merge({ kernels, profile, rounding, inputs, out, scratch: [x], n }, { weight, normalize }) {
    kernels.zero(out, n);
    inputs.forEach((input, i) => {
      input.load(x);
      const factor = weight[i] ?? 0;
      // The reference multiplies and adds in one rounding; the profile f32 takes two, which every machine has.
      if (profile === 'f32') kernels.addScaled.F32(x, factor, out, n);
      else kernels.addScaledFused(x, factor, out, n);
    });
    if (normalize) kernels.divide.F32(out, sumRowF32(weight), n);
    kernels.round[rounding](out, n);
  },
});
