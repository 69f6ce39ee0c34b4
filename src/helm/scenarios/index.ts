import { bbq } from './bbq.ts';
import { bigBench } from './big-bench.ts';
import { customMcqa } from './custom-mcqa.ts';
import { demo } from './demo.ts';
import { dyckLanguage } from './dyck-language.ts';
import { gsm } from './gsm.ts';
import { math } from './math.ts';
import { mmlu } from './mmlu.ts';
import type { Scenario } from './scenario.ts';
import { simpleClassification, simpleMcqa, simpleShortAnswerQa } from './simple.ts';
import { summarizationCnndm } from './summarization.ts';
import { syntheticReasoning } from './synthetic-reasoning.ts';
import { syntheticReasoningNatural } from './synthetic-reasoning-natural.ts';
import { truthfulQa } from './truthful-qa.ts';

/** Every scenario that run entries can name, by that name. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    demo,
    simpleMcqa,
    simpleShortAnswerQa,
    simpleClassification,
    syntheticReasoning,
    syntheticReasoningNatural,
    dyckLanguage,
    customMcqa,
    mmlu,
    gsm,
    math,
    truthfulQa,
    bbq,
    bigBench,
    summarizationCnndm,
  ].map((scenario) => [scenario.entry, scenario]),
);

export type { Scenario, ScenarioArguments, ScenarioContext } from './scenario.ts';
