using System.CommandLine;
using SamCompress.Runtime.Images.Embedded;

namespace SamCompress.Cli.Commands;

/// <summary>The options about the form in which an encoder is delivered.</summary>
internal sealed class DeliveryOptions
{
    private const string None = "no";

    private readonly Option<string> _preprocessing = CommonOptions.Choice(
        "--embed-preprocessing", "Let the encoder take the bytes of a JPEG or PNG file, or RGB pixels of any size.", None, None, "file", "pixels");

    public void AddTo(Command command) => command.Options.Add(_preprocessing);

    /// <summary>What the encoder takes; null for the tensor that it took.</summary>
    public PictureForm? Preprocessing(ParseResult parse) =>
        parse.GetRequiredValue(_preprocessing) is var form and not None ? Enum.Parse<PictureForm>(form, ignoreCase: true) : null;
}
