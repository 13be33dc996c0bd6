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
    /// <summary>For an image encoder: the preprocessed pictures.</summary>
    public IEnumerable<CalibrationSample> ForEncoder(Model encoder)
    {
        Value input = encoder.Graph.Inputs.First(i => i.Initializer is null);
        using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), encoder.Path ?? ""));
        foreach (EncoderImage image in pictures.Images(loader, progress, cancellation))
            yield return new CalibrationSample(image.Path, new Dictionary<string, RuntimeTensor> { [input.Name] = image.Input });
    }

    /// <summary>
    /// For a mask decoder: what the encoder that will feed it makes of each picture, with prompts made of the masks that the float encoder
    /// and decoder find.
    /// </summary>
    /// <param name="teacherEncoder">The float encoder.</param>
    /// <param name="studentEncoder">The quantized encoder; null when the decoder will be fed by the float one.</param>
    public IEnumerable<CalibrationSample> ForDecoder(string decoderPath, string teacherEncoder, SessionSettings settings, string? studentEncoder = null)
    {
        using var decoder = MaskDecoder.Open(decoderPath);

        // One encoder at a time is in memory; the prompts of a picture take little.
        Dictionary<string, IReadOnlyList<Prompt>>? made = studentEncoder is null ? null : PromptsOf(teacherEncoder, decoder, settings);
        using var encoder = ImageEncoder.Open(studentEncoder ?? teacherEncoder, settings);
        using var loader = new ImageLoader(encoder.Preprocessing);
        foreach (EncoderImage image in pictures.Images(loader, progress, cancellation))
        {
            using (image)
            {
                using RuntimeTensors outputs = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs, cancellation);
                IReadOnlyList<Prompt> prompts = made?[image.Path] ?? TeacherPrompts.Default.Of(decoder, outputs, image.Width, image.Height, cancellation);
                (string Name, float[] Elements, long[] Dimensions)[] embeddings = [.. outputs.Select(o => (o.Key, o.Value.ToArray<float>(), o.Value.Dimensions.ToArray()))];
                foreach (Prompt prompt in prompts)
                {
                    Dictionary<string, RuntimeTensor> inputs = decoder.PromptInputs(prompt, image.Width, image.Height);
                    foreach ((string name, float[] elements, long[] dimensions) in embeddings)
                        inputs[name] = RuntimeTensor.Of(elements, dimensions);
                    yield return new CalibrationSample(image.Path, inputs);
                }
            }
        }
    }

    private Dictionary<string, IReadOnlyList<Prompt>> PromptsOf(string teacherEncoder, MaskDecoder decoder, SessionSettings settings)
    {
        var made = new Dictionary<string, IReadOnlyList<Prompt>>(StringComparer.Ordinal);
        using var encoder = ImageEncoder.Open(teacherEncoder, settings);
        using var loader = new ImageLoader(encoder.Preprocessing);
        foreach (EncoderImage image in pictures.Images(loader, progress, cancellation))
        {
            using (image)
            {
                using RuntimeTensors outputs = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs, cancellation);
                made[image.Path] = TeacherPrompts.Default.Of(decoder, outputs, image.Width, image.Height, cancellation);
            }
        }

        return made;
    }
}
