/** ECS expands nothing; Kubernetes would replace `$(NAME)` in commands, probes and variables, so it is escaped. */
export const literal = (text: string): string => text.replaceAll('$(', '$$$$(');
