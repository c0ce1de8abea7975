//! The requests of one connection that are in flight.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};

use super::Answer;

/// Requests in flight; allocated with the first one and gone with the last.
#[derive(Default)]
pub struct Work<A>(Option<Box<Inner<A>>>);

struct Inner<A> {
    ordered: FuturesOrdered<Answer<A>>,
    apart: FuturesUnordered<Answer<A>>,
    refresh: Option<Answer<A>>,
    /// Nothing new may start before the ordered ones are answered.
    gated: bool,
}

impl<A> Work<A> {
    pub fn none() -> Self {
        Self(None)
    }

    fn inner(&mut self) -> &mut Inner<A> {
        self.0.get_or_insert_with(|| {
            Box::new(Inner {
                ordered: FuturesOrdered::new(),
                apart: FuturesUnordered::new(),
                refresh: None,
                gated: false,
            })
        })
    }

    pub fn add_ordered(&mut self, answer: Answer<A>, gate: bool) {
        let inner = self.inner();
        inner.ordered.push_back(answer);
        inner.gated |= gate;
    }

    pub fn add_apart(&mut self, answer: Answer<A>) {
        self.inner().apart.push(answer);
    }

    pub fn set_refresh(&mut self, answer: Answer<A>) {
        self.inner().refresh = Some(answer);
    }

    pub fn refreshing(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.refresh.is_some())
    }

    pub fn is_gated(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.gated)
    }

    /// Requests in flight.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |inner| inner.ordered.len() + inner.apart.len())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// The next answer that is due; pending when none is, or none is in flight.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<A> {
        let Some(inner) = &mut self.0 else { return Poll::Pending };
        let answer = inner.poll_next(cx);
        if inner.ordered.is_empty() {
            inner.gated = false;
            if inner.apart.is_empty() && inner.refresh.is_none() {
                self.0 = None;
            }
        }
        answer
    }
}

impl<A> Inner<A> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<A> {
        if let Poll::Ready(Some(answer)) = Pin::new(&mut self.ordered).poll_next(cx) {
            return Poll::Ready(answer);
        }
        if let Poll::Ready(Some(answer)) = Pin::new(&mut self.apart).poll_next(cx) {
            return Poll::Ready(answer);
        }
        if let Some(refresh) = &mut self.refresh
            && let Poll::Ready(answer) = refresh.as_mut().poll(cx)
        {
            self.refresh = None;
            return Poll::Ready(answer);
        }
        Poll::Pending
    }
}
