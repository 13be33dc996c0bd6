using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>
/// Reads ONNX models. Big tensors stay in the mapped file, so that opening costs time and memory for the graph only,
/// also for files over 2 GiB. Whatever the model names is resolved here: a model that was read has no dangling name.
/// </summary>
public static class OnnxReader
{
    /// <summary>Reads a model file and the places of its external data.</summary>
    /// <returns>A model that owns the mapped files: dispose of it.</returns>
    /// <exception cref="SamCompressException">Missing, unreadable or malformed (exit 3), or another file format (exit 4).</exception>
    public static unsafe Model Read(string path, ReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        MappedFile file = ModelFile.Open(path);
        try
        {
            options ??= ReadOptions.Default;
            using var external = new ExternalDataResolver(path, options.Strict);
            Model model = Build(file.Pointer(0, file.Length), file.Length, path, file, external, options);
            model.Own(file);
            model.Source = file;
            foreach (MappedFile dataFile in external.TakeFiles())
                model.Own(dataFile);
            model.Path = path;
            model.Findings = external.Findings;
            return model;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a serialized model from memory; it may not have external data.</summary>
    /// <inheritdoc cref="Read"/>
    public static unsafe Model Parse(ReadOnlySpan<byte> bytes, ReadOptions? options = null)
    {
        fixed (byte* data = bytes)
            return Build(data, bytes.Length, "model", null, null, options ?? ReadOptions.Default);
    }

    private static unsafe Model Build(byte* data, long length, string path, MappedFile? file, ExternalDataResolver? external, ReadOptions options)
    {
        // Without a mapped file there is nothing that lifted bytes could stay in.
        WireSplicer splicer = WireSplicer.Scan(data, length, path, (_, body) => file is not null && body.Length >= LiftedTensors.Threshold ? LiftedTensors.TokenLength : null, options.Limits);
        long skeletonLength = splicer.ResultLength();
        var lifted = new LiftedTensors();
        var places = new List<WireSplicer.RawData>();
        var skeleton = new byte[skeletonLength];
        using (var stream = new MemoryStream(skeleton))
        {
            splicer.Write(stream, (body, destination) =>
            {
                places.Add(body);
                lifted.Add(body.Length, output => file!.CopyTo(body.Offset, body.Length, output)).WriteTo(destination);
            });
        }

        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(skeleton);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new SamCompressException(FailureKind.InputRejected, $"not a well-formed ONNX file: {e.Message}", innerException: e) { Location = path };
        }

        var tensors = new TensorReader(path, file, lifted, places, external, options);
        return new ModelBuilder(path, tensors).Build(proto, lifted);
    }
}
