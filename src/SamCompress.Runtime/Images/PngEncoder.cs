using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Images;

/// <summary>Writes pictures as PNG, by the operator EncodeImage of ONNX Runtime Extensions. Not safe for use by several threads at once.</summary>
public sealed class PngEncoder : IDisposable
{
    private const string PixelsInput = "bgr";
    private const string FileOutput = "file";

    private readonly OnnxSession _session;

    public PngEncoder()
    {
        var model = new Model(8, [new OpsetImport(OperatorDomain.Onnx, 18), new OpsetImport(PreprocessingGraph.ExtensionsDomain, 1)], "encode");
        using (model)
        {
            Value pixels = model.Graph.AddInput(PixelsInput, ElementType.UInt8, new Shape(Dimension.Of("H"), Dimension.Of("W"), Raster.Channels));
            Value file = model.Graph.Append("EncodeImage", [pixels], [FileOutput], [NodeAttribute.Of("format", "png")], PreprocessingGraph.ExtensionsDomain).Output;
            file.ElementType = ElementType.UInt8;
            file.Shape = new Shape(Dimension.Of("bytes"));
            model.Graph.AddOutput(file);
            _session = OnnxSession.Open(model, new SessionSettings { UseExtensions = true, Threads = 1, UseMemoryArena = false, UseMemoryPattern = false });
        }
    }

    /// <returns>The bytes of a PNG file, the same for the same pixels.</returns>
    public byte[] Encode(Raster raster, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(raster);
        byte[] bgr = new byte[raster.Pixels.Length];
        for (int i = 0; i < bgr.Length; i += Raster.Channels)
            (bgr[i], bgr[i + 1], bgr[i + 2]) = (raster.Pixels[i + 2], raster.Pixels[i + 1], raster.Pixels[i]);
        using RuntimeTensor pixels = RuntimeTensor.Of(bgr, raster.Height, raster.Width, Raster.Channels);
        using RuntimeTensors results = _session.Run(new Dictionary<string, RuntimeTensor> { [PixelsInput] = pixels }, cancellationToken: cancellationToken);
        return results[FileOutput].ToArray<byte>();
    }

    public void Dispose() => _session.Dispose();
}
