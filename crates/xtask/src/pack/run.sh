#!/bin/sh
# Measures this machine's GPU: what the page asks of it through Dawn, and products of matrices natively.
#
#     sh run.sh          the bundled model
#     sh run.sh full     a random model of GPT-2 small's size too, made here (500 MB)
#
# Any Vulkan driver will do: VK_DRIVER_FILES names another than NVIDIA's.
set -eu
cd "$(dirname "$0")"
export LD_LIBRARY_PATH="$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# NVIDIA's own entry names a library that wants X11's, which a server does not have; the one for EGL is the same driver without.
if [ -z "${VK_DRIVER_FILES:-}" ] && ldconfig -p 2>/dev/null | grep -q libEGL_nvidia.so.0; then
  VK_DRIVER_FILES="$PWD/nvidia_icd.json"
  echo '{"file_format_version":"1.0.1","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.3.0"}}' >"$VK_DRIVER_FILES"
fi
if [ -n "${VK_DRIVER_FILES:-}" ]; then export VK_DRIVER_FILES VK_ICD_FILENAMES="$VK_DRIVER_FILES"; fi

model=""
if [ "${1:-}" = full ]; then
  model=full
  if [ ! -e full/model.safetensors ]; then
    ./twinbeam synth --size gpt2 --masks --std 0.1 --tokenizer dist/models/mini/tokenizer.json --out full
  fi
fi
./node dawn/bench.mjs dist ${model:+"$model"}
./node dawn/bench.mjs dist ${model:+"$model"} --kernels
if [ -x twinbeam ]; then ./twinbeam bench --products; fi
