//! The first step: two inputs, which the visitor switches, and what each method gives them.

use leptos::prelude::*;

use super::toy::{Gate, Toy, share};
use crate::reactive::{dynamic, live};

/// The two-input network.
#[component]
pub(super) fn Inputs() -> impl IntoView {
    let toy = RwSignal::new(Toy::FIRST);
    let gates = Gate::ALL.map(|gate| {
        view! {
            <button
                type="button"
                data-testid=format!("toy-{}", gate.name().to_lowercase())
                aria-pressed=live(move || (toy.get().gate == gate).to_string())
                on:click=move |_event| toy.update(|toy| toy.gate = gate)
            >
                <strong>{gate.name()}</strong>
                " "
                {gate.rule()}
            </button>
        }
    });
    let inputs = [0, 1].map(|input| {
        let is_clean = move || toy.get().clean[input];
        view! {
            <button
                type="button"
                class="toy-input"
                data-testid=format!("toy-input-{}", input + 1)
                aria-pressed=live(move || (!is_clean()).to_string())
                title="Corrupt it, or make it clean again"
                on:click=move |_event| toy.update(|toy| toy.clean[input] = !toy.clean[input])
            >
                <span>{format!("input {}", input + 1)}</span>
                <strong>{dynamic(move || if is_clean() { "1 clean" } else { "0 corrupted" })}</strong>
            </button>
        }
    });
    let wires = [0, 1].map(|input| {
        let (from, is_on) = (25 + 50 * input, move || toy.get().clean[usize::from(input == 1)]);
        view! { <path d=format!("M0 {from}C45 {from} 55 50 100 50") class:on=live(is_on) /> }
    });
    let output = move || toy.get().output();
    let rows = [0, 1].map(|input| {
        let bar = |method: usize, name: &'static str| {
            let value = move || toy.get().scores()[method][input];
            let testid = format!("toy-{name}-{}", input + 1);
            view! {
                <td>
                    <span class=format!("tour-bar by-{name}") style=("--share", move || value().to_string())></span>
                    <span data-testid=testid data-value=live(move || value().to_string())>
                        {dynamic(move || share(value()))}
                    </span>
                </td>
            }
        };
        view! {
            <tr>
                <th scope="row">{format!("input {}", input + 1)}</th>
                {bar(0, "ap")}
                {bar(1, "ig")}
            </tr>
        }
    });
    let sum = |method: usize| move || share(toy.get().scores()[method].iter().sum());
    view! {
        <div class="toy">
            <div class="choices" role="group" aria-label="Which network">{gates}</div>
            <div class="toy-network">
                <div class="toy-inputs">{inputs}</div>
                <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{wires}</svg>
                <div class="toy-output">
                    <span class="toy-level" style=("--share", move || output().to_string())></span>
                    <span>"output"</span>
                    <strong data-testid="toy-output" data-value=live(move || output().to_string())>
                        {dynamic(move || format!("{:.2}", output()))}
                    </strong>
                </div>
            </div>
            <p class="tour-says" role="status" data-testid="toy-says">{dynamic(move || toy.get().says())}</p>
            <table class="toy-scores">
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col">"AP: one at a time"</th>
                        <th scope="col">"IG: both together"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"in all"</th>
                        <td>{dynamic(sum(0))}</td>
                        <td>{dynamic(sum(1))}</td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}
