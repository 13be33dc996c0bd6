using SamCompress.Cli;

using var interruption = new Interruption();
CommandContext context = CommandContext.OfConsole(interruption.Token);
return interruption.ExitCode(CommandLine.Run(args, context));
