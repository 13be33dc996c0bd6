using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Runtime.Images.Embedded;

namespace SamCompress.Cli.Commands;

/// <summary>The options about the form in which an encoder is delivered.</summary>
/// <param name="bundles">Whether there are reports, and so something to put into a folder.</param>
internal sealed class DeliveryOptions(bool bundles)
{
    private const string None = "no";

    private readonly Option<string> _preprocessing = CommonOptions.Choice(
        "--embed-preprocessing", "Let the encoder take the bytes of a JPEG or PNG file, or RGB pixels of any size.", None, None, "file", "pixels");

    private readonly Option<string?> _folder = new("--output-dir")
    {
        Description = $"Write {Bundle.EncoderName}, {Bundle.DecoderName}, the reports and a {Bundle.ManifestName} with all hashes into this folder.",
        HelpName = "DIR",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_preprocessing);
        if (bundles)
            command.Options.Add(_folder);
    }

    /// <summary>What the encoder takes; null for the tensor that it took.</summary>
    public PictureForm? Preprocessing(ParseResult parse) =>
        parse.GetRequiredValue(_preprocessing) is var form and not None ? Enum.Parse<PictureForm>(form, ignoreCase: true) : null;

    public bool IsBundle(ParseResult parse) => parse.GetValue(_folder) is not null;

    /// <summary>The file to write: of the folder, or <paramref name="output"/>.</summary>
    /// <exception cref="SamCompressException">Usage: both are given.</exception>
    public string? Output(ParseResult parse, string? output)
    {
        if (parse.GetValue(_folder) is not { } folder)
            return output;
        if (output is not null)
            throw new SamCompressException(FailureKind.Usage, "the output is given twice: by -o and by --output-dir", "leave one of them out.");
        return Path.Combine(folder, Bundle.EncoderName);
    }
}
