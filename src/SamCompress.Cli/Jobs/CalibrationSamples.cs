using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Jobs;

/// <summary>Makes the inputs that a model is calibrated with out of pictures, one at a time.</summary>
internal sealed class CalibrationSamples(CalibrationPictures pictures, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Points a side of the grid that a decoder is asked with for each picture.</summary>
    private const int GridSide = 2;

    /// <summary>For an image encoder: the preprocessed pictures.</summary>
    public IEnumerable<CalibrationSample> ForEncoder(Model encoder)
    {
        Value input = encoder.Graph.Inputs.First(i => i.Initializer is null);
        using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), encoder.Path ?? ""));
        foreach (EncoderImage image in pictures.Images(loader, progress, cancellation))
            yield return new CalibrationSample(image.Path, new Dictionary<string, RuntimeTensor> { [input.Name] = image.Input });
    }

    /// <summary>For a mask decoder: what its encoder makes of each picture, with a grid of points and, where the decoder takes one, a box.</summary>
    public IEnumerable<CalibrationSample> ForDecoder(string decoderPath, string encoderPath, SessionSettings settings)
    {
        using var encoder = ImageEncoder.Open(encoderPath, settings);
        using var decoder = MaskDecoder.Open(decoderPath);
        using var loader = new ImageLoader(encoder.Preprocessing);
        foreach (EncoderImage image in pictures.Images(loader, progress, cancellation))
        {
            using (image)
            {
                using RuntimeTensors outputs = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs, cancellation);
                (string Name, float[] Elements, long[] Dimensions)[] embeddings = [.. outputs.Select(o => (o.Key, o.Value.ToArray<float>(), o.Value.Dimensions.ToArray()))];
                foreach (Prompt prompt in Prompts(image, decoder.Interface.Kind))
                {
                    Dictionary<string, RuntimeTensor> inputs = decoder.PromptInputs(prompt, image.Width, image.Height);
                    foreach ((string name, float[] elements, long[] dimensions) in embeddings)
                        inputs[name] = RuntimeTensor.Of(elements, dimensions);
                    yield return new CalibrationSample(image.Path, inputs);
                }
            }
        }
    }

    private static IEnumerable<Prompt> Prompts(EncoderImage image, DecoderKind kind)
    {
        IReadOnlyList<Prompt> points = Prompt.Grid(GridSide, image.Width, image.Height);
        return kind == DecoderKind.Transformers
            ? points
            : points.Append(Prompt.Around(image.Width * 0.25, image.Height * 0.25, image.Width * 0.75, image.Height * 0.75));
    }
}
