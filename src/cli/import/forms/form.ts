import type { AwsInput } from '../aws-input.ts';

/** What the forms need to know of the command line. */
export interface FormOptions {
  /** Family of container definitions that come without one. */
  readonly family?: string;
  /** Values for what a CloudFormation template refers to: parameters, pseudo parameters, Resource or Resource.Attribute. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A form in which AWS's inputs are kept; undefined where the document has another. */
export type Form = (value: unknown, source: string, options: FormOptions) => readonly AwsInput[] | undefined;
