using SamCompress.IR;
using SamCompress.Passes.Analysis;

namespace SamCompress.Cli.Jobs;

/// <summary>Opens the model of a job.</summary>
internal static class ModelSource
{
    /// <exception cref="SamCompressException">The file is no model.</exception>
    public static Model Read(string path, ReadOptions reading) => OnnxReader.Read(path, reading);

    /// <summary>Reads an image encoder.</summary>
    /// <exception cref="SamCompressException">The file is no model, or the model is something else.</exception>
    public static Model ReadEncoder(string path, ReadOptions reading)
    {
        Model model = Read(path, reading);
        ModelKind kind = ModelKinds.Recognize(model);
        if (kind == ModelKind.SamEncoder)
            return model;
        model.Dispose();
        string what = kind == ModelKind.SamDecoder ? "this is the mask decoder of a Segment Anything model" : "this is no image encoder: it does not turn a picture into an embedding";
        throw new SamCompressException(FailureKind.Unsupported, what, "give the image encoder; 'samcompress inspect' says what a model is.") { Location = path };
    }

    /// <summary>Reads a mask decoder.</summary>
    /// <inheritdoc cref="ReadEncoder"/>
    public static Model ReadDecoder(string path, ReadOptions reading)
    {
        Model model = Read(path, reading);
        if (ModelKinds.Recognize(model) == ModelKind.SamDecoder)
            return model;
        model.Dispose();
        throw new SamCompressException(FailureKind.Unsupported, "this is no mask decoder of a Segment Anything model", "--encoder is for quantizing a decoder; leave it out for an image encoder.") { Location = path };
    }

    /// <summary>The size of the model file with its external data.</summary>
    public static long FileBytes(Model model, string path) =>
        model.Files.Append(path).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Sum(f => new FileInfo(f).Length);
}
