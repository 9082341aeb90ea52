/** ECS expands nothing; Kubernetes would replace `$(NAME)` in commands and variables, so it is escaped. */
export const literal = (text: string): string => text.replaceAll('$(', '$$$$(');
