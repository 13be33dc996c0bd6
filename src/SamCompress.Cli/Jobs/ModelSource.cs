using SamCompress.IR;
using SamCompress.IR.Analysis;
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

    /// <summary>Weights and the activations alive at one time, as far as shapes are known. Infers them.</summary>
    public static long FootprintBytes(Model model)
    {
        ShapeInference.Infer(model);
        return OnnxWriter.TensorBytes(model) + CostModel.Measure(model).PeakActivationBytes;
    }

    /// <summary>The same of a model that stays as it is; null when a shape is not known.</summary>
    public static long? MemoryBytes(Model model)
    {
        using Model copy = ModelCopy.Of(model);
        long bytes = FootprintBytes(copy);
        return copy.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().All(v => v.Shape?.ElementCount is not null) ? bytes : null;
    }

    /// <summary>The size of the model file with its external data.</summary>
    public static long FileBytes(Model model, string path) =>
        model.Files.Append(path).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Sum(f => new FileInfo(f).Length);
}
