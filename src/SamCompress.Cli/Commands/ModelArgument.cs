using System.CommandLine;

namespace SamCompress.Cli.Commands;

/// <summary>The model of a command, given as its first argument or by <c>-m</c>.</summary>
internal sealed class ModelArgument
{
    private readonly Argument<string?> _argument;
    private readonly Option<string?> _option = new("--model", "-m") { Description = "Same as the argument.", Hidden = true };

    public ModelArgument(string description, string name = "MODEL") =>
        _argument = new Argument<string?>(name) { Description = description, Arity = ArgumentArity.ZeroOrOne };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_argument);
        command.Options.Add(_option);
        command.Validators.Add(result =>
        {
            int given = (result.IsGiven(_argument) ? 1 : 0) + (result.IsGiven(_option) ? 1 : 0);
            if (given != 1)
                result.AddError(given == 0 ? $"{command.Name} needs a {_argument.Name}." : $"The model is given twice: as {_argument.Name} and by --model.");
            else if (result.GetResult(_argument)?.Tokens is [{ Value: "-" }] || result.Word(_option) == "-")
                result.AddError("'-' is no file: a model is not read from standard input, where its data would have no folder.");
        });
    }

    public string Of(ParseResult parse) => parse.GetValue(_argument) ?? parse.GetRequiredValue(_option)!;
}
