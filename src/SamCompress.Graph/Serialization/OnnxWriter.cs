using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>Where the data of big initializers goes.</summary>
public enum ExternalDataMode
{
    /// <summary>Into a data file when the model was read with external data, or would not fit into the 2 GiB that readers accept; else inline.</summary>
    Auto,
    Always,
    Never,
}

public sealed record SaveOptions
{
    public static SaveOptions Default { get; } = new();

    public ExternalDataMode ExternalData { get; init; } = ExternalDataMode.Auto;

    /// <summary>In bytes; smaller initializers stay in the model file. At least 1024, so that shapes stay readable without the data.</summary>
    public long ExternalDataThreshold { get; init; } = 1024;
}

/// <summary>
/// Writes models: in one go, tensor after tensor, so that memory does not depend on the size of the weights.
/// Reading and writing without a change gives the same bytes.
/// </summary>
public static class OnnxWriter
{
    private const long InlineLimit = int.MaxValue - (1 << 20);

    /// <summary>Writes the whole model, all tensors inline, to a stream. Tensors whose data file is missing keep naming it.</summary>
    public static void Write(Model model, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(model);
        WriteSpliced(new ModelSerializer(model, detach: null), destination);
    }

    /// <inheritdoc cref="Write"/>
    public static byte[] Serialize(Model model)
    {
        using var stream = new MemoryStream();
        Write(model, stream);
        return stream.ToArray();
    }

    /// <summary>
    /// Serializes the model without the data of its big initializers, which are marked as external data, for a runtime that
    /// takes their data from memory.
    /// </summary>
    /// <param name="threshold">In bytes; smaller initializers stay inline.</param>
    public static byte[] SerializeDetached(Model model, long threshold, out IReadOnlyList<Value> detached)
    {
        ArgumentNullException.ThrowIfNull(model);
        var values = new List<Value>();
        var serializer = new ModelSerializer(model, value =>
        {
            if (value.Initializer!.ByteLength < threshold)
                return null;
            values.Add(value);
            return new ExternalPlace("memory", 0);
        });
        using var stream = new MemoryStream();
        WriteSpliced(serializer, stream);
        detached = values;
        return stream.ToArray();
    }

    /// <summary>
    /// Writes a model file, and beside it <c>{file}.data</c> when its data is external and any of it is big. Existing files are overwritten in place:
    /// stage and rename around this call where a reader must never see half a file.
    /// </summary>
    /// <returns>The files written, the model first.</returns>
    public static IReadOnlyList<string> Save(Model model, string path, SaveOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= SaveOptions.Default;
        using FileStream file = Create(path);
        if (!UsesExternalData(model, options))
        {
            if (model is { IsEdited: false, Source: { } source } && !HasExternalData(model))
                source.CopyTo(0, source.Length, file);
            else
                WriteSpliced(new ModelSerializer(model, detach: null), file);
            return [path];
        }

        string dataPath = path + ".data";
        var layout = new List<Tensor>();
        long position = 0;
        long threshold = Math.Max(options.ExternalDataThreshold, 1024);
        var serializer = new ModelSerializer(model, value =>
        {
            Tensor tensor = value.Initializer!;
            if (tensor.ByteLength < threshold)
                return null;
            position = ExternalPlace.Align(position, tensor.ByteLength);
            var place = new ExternalPlace(Path.GetFileName(dataPath), position);
            layout.Add(tensor);
            position += tensor.ByteLength;
            return place;
        });
        WriteSpliced(serializer, file);
        if (layout.Count == 0)
            return [path];

        using FileStream data = Create(dataPath);
        var padding = new byte[ExternalPlace.Alignment];
        long written = 0;
        foreach (Tensor tensor in layout)
        {
            long start = ExternalPlace.Align(written, tensor.ByteLength);
            data.Write(padding.AsSpan(0, (int)(start - written)));
            tensor.CopyTo(data);
            written = start + tensor.ByteLength;
        }

        return [path, dataPath];
    }

    /// <summary>The number of bytes that the tensors of the model take as raw data.</summary>
    public static long TensorBytes(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.AllGraphs().Sum(g =>
            g.Initializers.Sum(v => v.Initializer!.ByteLength) + g.Nodes.Sum(n => n.Attributes.Sum(a => a.Tensors.Sum(t => t.ByteLength))));
    }

    private static bool UsesExternalData(Model model, SaveOptions options) => options.ExternalData switch
    {
        ExternalDataMode.Always => true,
        ExternalDataMode.Never => false,
        _ => HasExternalData(model) || TensorBytes(model) > InlineLimit,
    };

    private static bool HasExternalData(Model model) => model.AllGraphs().Any(g =>
        g.Initializers.Any(v => IsExternal(v.Initializer!)) || g.Nodes.Any(n => n.Attributes.Any(a => a.Tensors.Any(IsExternal))));

    private static bool IsExternal(Tensor tensor) => tensor.Shell is { ExternalData.Count: > 0 };

    private static FileStream Create(string path) => new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);

    private static unsafe void WriteSpliced(ModelSerializer serializer, Stream destination)
    {
        byte[] skeleton = serializer.Skeleton.ToByteArray();
        LiftedTensors lifted = serializer.Lifted;
        fixed (byte* data = skeleton)
        {
            WireSplicer splicer = WireSplicer.Scan(data, skeleton.Length, "model", (bytes, body) =>
                Token(bytes, body) is >= 0 and var number ? lifted.Length(number) : null);
            splicer.ResultLength();
            byte[] source = skeleton;
            splicer.Write(destination, (body, stream) =>
                lifted.Write(lifted.Find(source.AsSpan((int)body.Offset, (int)body.Length)), stream));
        }

        int Token(byte* bytes, WireSplicer.RawData body) =>
            body.Length == LiftedTensors.TokenLength ? lifted.Find(new ReadOnlySpan<byte>(bytes + body.Offset, (int)body.Length)) : -1;
    }
}
