/**
 * ECS expands nothing; Kubernetes replaces `$(NAME)` in commands, probes and variables, and takes `$$` for one `$`
 * wherever it stands, so that both are escaped.
 */
export const literal = (text: string): string => text.replaceAll(/\$\$+|\$(?=\()/g, (run) => run.repeat(2));
