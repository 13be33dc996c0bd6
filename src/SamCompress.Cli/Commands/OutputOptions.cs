using System.CommandLine;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary>Where and how a model is written.</summary>
internal sealed class OutputOptions(bool required, string defaultName)
{
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = required ? "The file to write." : $"The file to write. [default: {defaultName}]",
        HelpName = "FILE",
        Required = required,
    };

    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output when it exists." };
    private readonly Option<bool> _force = new("--force") { Hidden = true };
    private readonly Option<string> _externalData = CommonOptions.Choice("--external-data", "Whether weights go to a file of their own.", "auto", "auto", "always", "never");

    public void AddTo(Command command)
    {
        command.Options.Add(_output);
        command.Options.Add(_overwrite);
        command.Options.Add(_force);
        command.Options.Add(_externalData);
    }

    public string? Output(ParseResult parse) => parse.GetValue(_output);

    public bool Overwrite(ParseResult parse) => parse.GetValue(_overwrite) || parse.GetValue(_force);

    public ExternalDataMode ExternalData(ParseResult parse) => Enum.Parse<ExternalDataMode>(parse.GetRequiredValue(_externalData), ignoreCase: true);
}
