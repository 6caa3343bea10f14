#!/usr/bin/env python3
"""Public captioners: limn beside the original code in PyTorch, on one machine, one after the other.

    bench_captioners.py LIMN BENCH-ENCODER FOLDER MODEL.safetensors IMAGE [--int8 LIMN-CONVERT] [--beam K] [--tokens N]
        [--runs R] [--threads T]

FOLDER is a BLIP, GIT or ViT + GPT-2 captioner as the hub has it, MODEL what limn-convert made of it. Prints for each
side: seconds of the encoder alone, seconds an image for captions of N tokens by a beam of K (the least of R runs,
opening left out), and the peak of resident memory of a process that captions the image once; and of limn, the seconds
of that process from its start to its end. limn's T threads caption as many images at once, PyTorch's share one; it is
timed with 1 … T threads, and its best number is what is said. With --int8, MODEL is also converted to int8, without
calibration, and measured. Run it where nothing else runs: PyTorch's threads spin.

Needs torch, transformers and pillow (written with 2.8.0 and 4.57.6); the product does not.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

SEARCH = ["--search", "transformers"]


def arguments():
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("limn", "bench_encoder", "folder", "model", "image"):
        parser.add_argument(name)
    parser.add_argument("--int8")
    parser.add_argument("--beam", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- limn ---------------------------------------------------------------------------------------------------


def measured(command):
    """Standard output, seconds and peak resident memory in MiB of a process."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]}: exit code {process.returncode}")
    return out, time.perf_counter() - start, usage.ru_maxrss / 1024


def caption_seconds(args, model):
    """Of an image among many, of a process for one, and that one's MiB."""
    command = [args.limn, "--model", model, "--threads", str(args.threads), "-q", *SEARCH,
               "--beam", str(args.beam), "--min-new-tokens", str(args.tokens),
               "--max-new-tokens", str(args.tokens)]
    n_more = 4 * args.threads
    ones = [measured([*command, args.image]) for _ in range(args.runs)]
    many = [measured([*command, *[args.image] * (args.threads + n_more)])[1] for _ in range(args.runs)]
    few = [measured([*command, *[args.image] * args.threads])[1] for _ in range(args.runs)]
    return (min(many) - min(few)) / n_more, min(one[1] for one in ones), ones[0][2]


def limn_side(args, model):
    """Encoder, caption, memory."""
    out = measured([args.bench_encoder, model, str(args.runs), "", str(args.threads)])[0]
    encoder = float(re.search(r"min ([0-9.]+)", out).group(1)) / 1000
    caption, whole, mebibytes = caption_seconds(args, model)
    return {"encoder": encoder, "caption": caption, "whole": whole, "MiB": mebibytes}


def limn_sides(args):
    """Of the model, and of what it is in int8."""
    sides = {"limn": limn_side(args, args.model)}
    if args.int8:
        with tempfile.TemporaryDirectory() as folder:
            model = os.path.join(folder, "int8.safetensors")
            measured([args.int8, "-q", args.model, "--dtype", "int8", "-o", model])
            sides["limn int8"] = limn_side(args, model)
    return sides


# ---- PyTorch ------------------------------------------------------------------------------------------------


def open_peer(folder):
    """The model, its pixels of an image, and its encoder."""
    import torch  # pylint: disable=import-outside-toplevel
    import transformers  # pylint: disable=import-outside-toplevel
    kind = json.load(open(os.path.join(folder, "config.json"), encoding="utf-8"))["model_type"]
    name = {"blip": "BlipForConditionalGeneration", "git": "GitForCausalLM",
            "vision-encoder-decoder": "VisionEncoderDecoderModel"}[kind]
    model = getattr(transformers, name).from_pretrained(folder).eval()
    encoder = {"blip": lambda x: model.vision_model(x), "git": lambda x: model.git.image_encoder(x),
               "vision-encoder-decoder": lambda x: model.encoder(x)}[kind]
    processor = {"blip": "BlipImageProcessor", "git": "CLIPImageProcessor",
                 "vision-encoder-decoder": "ViTImageProcessor"}[kind]
    return torch, model, encoder, getattr(transformers, processor).from_pretrained(folder)


def least(runs, call):
    """Seconds of the fastest run."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def peer(args):
    """What the process that is measured does: prints seconds as JSON."""
    from PIL import Image  # pylint: disable=import-outside-toplevel
    torch, model, encoder, processor = open_peer(args.folder)
    settings = {"num_beams": args.beam, "min_new_tokens": args.tokens, "max_new_tokens": args.tokens}
    found = {"encoder": {}, "caption": {}}
    with torch.no_grad():
        def pixels():
            return processor(Image.open(args.image).convert("RGB"), return_tensors="pt")["pixel_values"]

        for threads in [args.threads] if args.once else range(1, args.threads + 1):
            torch.set_num_threads(threads)
            x = pixels()
            if not args.once:
                found["encoder"][threads] = least(args.runs, lambda: encoder(x))
            found["caption"][threads] = least(1 if args.once else args.runs,
                                              lambda: model.generate(pixel_values=pixels(), **settings))
    found["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def peer_side(args):
    """The same from a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--peer"]
    found = json.loads(measured(command)[0].splitlines()[-1])
    once = json.loads(measured([*command, "--once"])[0].splitlines()[-1])
    return {"encoder": min(found["encoder"].values()), "caption": min(found["caption"].values()),
            "MiB": once["MiB"], "threads": found}


def main():
    """Both sides, and how they compare."""
    args = arguments()
    if args.peer:
        peer(args)
        return
    ours, theirs = limn_sides(args), peer_side(args)
    print(f"{args.tokens} tokens, beam {args.beam}, {args.threads} threads, least of {args.runs}")
    for name, side in {**ours, "PyTorch": theirs}.items():
        print(f"{name:9} encoder {side['encoder']:.3f} s, caption {side['caption']:.3f} s an image, {side['MiB']:.0f} MiB")
    for name, side in ours.items():
        print(f"{name} from start to end, one image: {side['whole']:.3f} s")
        print(f"{name}: encoder {side['encoder'] / theirs['encoder']:.2f} of PyTorch's time, "
              f"caption {theirs['caption'] / side['caption']:.2f} times as fast")


if __name__ == "__main__":
    main()
