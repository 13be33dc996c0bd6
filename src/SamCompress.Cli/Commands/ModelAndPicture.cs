using System.CommandLine;

namespace SamCompress.Cli.Commands;

/// <summary>A model and a picture: two arguments, or the model by <c>-m</c> and the picture as the only argument.</summary>
internal sealed class ModelAndPicture
{
    private readonly Argument<string[]> _arguments = new("MODEL PICTURE") { Description = "The image encoder, an ONNX file, and the picture, JPEG or PNG.", Arity = new ArgumentArity(0, 2) };
    private readonly Option<string?> _model = new("--model", "-m") { Description = "Same as the first argument.", Hidden = true };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_arguments);
        command.Options.Add(_model);
        command.Validators.Add(result =>
        {
            int given = (result.GetResult(_arguments)?.Tokens.Count ?? 0) + (result.IsGiven(_model) ? 1 : 0);
            if (given != 2)
                result.AddError(given < 2 ? $"{command.Name} needs a MODEL and a PICTURE." : "The model is given twice: as MODEL and by --model.");
        });
    }

    public string Model(ParseResult parse) => parse.GetValue(_model) ?? parse.GetRequiredValue(_arguments)[0];

    public string Picture(ParseResult parse) => parse.GetRequiredValue(_arguments)[^1];
}
