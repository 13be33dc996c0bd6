using SamCompress.Cli.Supervision;

return Supervisor.Wants(args) ? Supervisor.Run(args) : Supervisor.Here(args);
